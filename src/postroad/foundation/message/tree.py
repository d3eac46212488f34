"""A mail's parts as a tree that can be pruned: what is not touched leaves with the bytes it came with."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from postroad.foundation.message.headers import Headers
from postroad.foundation.message.mime import DEFAULT, MimeLimits, Part, walk


@dataclass(slots=True)
class Node:
    """One part. Its header lines are `fields`; its content is `content` where that was replaced, else as it came."""

    part: Part
    fields: bytes
    content_type: str
    children: list["Node"] = field(default_factory=list)
    content: bytes | None = None
    touched: bool = False

    @property
    def is_multipart(self) -> bool:
        """Whether it is a multipart with parts (and no message/rfc822)."""
        return bool(self.children) and self.content_type.startswith("multipart/")

    @property
    def is_changed(self) -> bool:
        """Whether it or a part in it was touched."""
        return self.touched or any(child.is_changed for child in self.children)

    def walk(self) -> Iterator["Node"]:
        """This node and all in it, as they stand in the mail."""
        yield self
        for child in list(self.children):
            yield from child.walk()

    def keep(self, children: list["Node"]) -> None:
        """Have these children only."""
        if len(children) != len(self.children):
            self.children, self.touched = children, True

    def replace(self, fields: bytes, content: bytes, content_type: str) -> None:
        """Stand for other content; `fields` are header lines in place of the Content-* ones."""
        self.fields = _others(self.fields) + fields
        self.content, self.content_type, self.children, self.touched = content, content_type, [], True

    def become(self, child: "Node", *, is_mail: bool) -> None:
        """Take the child's place in its parent; a whole mail keeps its own fields that tell nothing of content."""
        fields = child.fields
        if not any(f.name.lower() == "content-type" for f in Headers.parse(fields + b"\r\n")):
            fields += f"Content-Type: {child.content_type}\r\n".encode()  # The default may be another elsewhere.
        self.fields = _others(self.fields) + _content_fields(fields) if is_mail else fields
        self.part, self.content_type, self.children = child.part, child.content_type, child.children
        self.content, self.touched = child.content, True


def tree(raw: bytes, limits: MimeLimits = DEFAULT) -> Node:
    """The nodes of a mail with CRLF lines.

    Raises:
        MimeTooComplex: more parts or depth than `limits`.
    """
    return _node(raw, walk(raw, limits))


def _node(raw: bytes, part: Part) -> Node:
    fields = b"".join(line.raw for line in part.headers)
    if fields and not fields.endswith(b"\n"):
        fields += b"\r\n"
    return Node(part, fields, part.content_type, [_node(raw, child) for child in part.children])


def serialised(raw: bytes, root: Node) -> bytes:
    """The mail of a pruned tree; of an untouched one, exactly the same bytes."""
    if not root.is_changed:
        return raw
    return b"".join([root.fields, b"\r\n", *_content(raw, root)])


def _content(raw: bytes, node: Node) -> Iterator[bytes]:
    if node.content is not None:
        yield node.content
    elif not any(child.is_changed for child in node.children) and len(node.children) == len(node.part.children):
        yield raw[node.part.body : node.part.end]
    elif not node.is_multipart:
        yield from _mail(raw, node.children[0])
    else:
        line = b"--" + node.part.params["boundary"].encode("utf-8", "replace")
        for child in node.children:
            yield line + b"\r\n"
            yield from _mail(raw, child)
            yield b"\r\n"
        yield line + b"--\r\n"


def _mail(raw: bytes, node: Node) -> Iterator[bytes]:
    yield node.fields
    yield b"\r\n"
    yield from _content(raw, node)


def _content_fields(fields: bytes) -> bytes:
    return b"".join(f.raw for f in Headers.parse(fields + b"\r\n") if f.name.lower().startswith("content-"))


def _others(fields: bytes) -> bytes:
    return b"".join(f.raw for f in Headers.parse(fields + b"\r\n") if not f.name.lower().startswith("content-"))
