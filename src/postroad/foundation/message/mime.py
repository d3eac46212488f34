"""The MIME tree of a mail as spans of its bytes: what is where, without taking anything apart."""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from postroad.foundation.errors import TooLarge
from postroad.foundation.message.encoded_words import decode_bytes, decode_parameters
from postroad.foundation.message.headers import Headers

DAMAGED_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")


class MimeTooComplex(TooLarge):
    """More parts, or parts deeper inside each other, than anybody means to send."""


@dataclass(frozen=True, slots=True)
class MimeLimits:
    """How complex a mail may be."""

    parts: int = 1000
    depth: int = 50


DEFAULT = MimeLimits()


@dataclass(slots=True)
class Part:
    """One part: its header begins at `start`, its body at `body`, it ends at `end` (offsets into the mail)."""

    start: int
    body: int
    end: int
    headers: Headers
    content_type: str
    params: dict[str, str]
    disposition: str
    filename: str
    encoding: str
    depth: int
    children: list["Part"] = field(default_factory=list)

    @property
    def body_span(self) -> tuple[int, int]:
        """Where the content lies."""
        return self.body, self.end

    @property
    def charset(self) -> str:
        """The label of a text part's characters."""
        return self.params.get("charset", "")

    @property
    def is_multipart(self) -> bool:
        """Whether it has parts of its own."""
        return bool(self.children)

    def decoded(self, raw: bytes) -> bytes:
        """The content with its transfer encoding undone; never fails, damage is skipped (RFC 2045 §6)."""
        data = raw[self.body : self.end]
        if self.encoding == "quoted-printable":
            return quopri.decodestring(data)
        if self.encoding == "base64":
            clean = DAMAGED_BASE64.sub(b"", data).rstrip(b"=")
            clean = clean[: len(clean) - (len(clean) % 4 == 1)]
            try:
                return base64.b64decode(clean + b"=" * (-len(clean) % 4))
            except (binascii.Error, ValueError):
                return data
        return data

    def text(self, raw: bytes) -> str:
        """The content as text in LF lines; never fails, a wrong charset is guessed at."""
        return decode_bytes(self.decoded(raw), self.charset).replace("\r\n", "\n").replace("\r", "\n")

    def walk(self) -> Iterator["Part"]:
        """This part and all parts in it, in the order of the mail."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))


def walk(raw: bytes, limits: MimeLimits = DEFAULT) -> Part:
    """The tree of a mail's parts.

    Raises:
        MimeTooComplex: more parts or depth than `limits`.
    """
    root = _part(raw, 0, len(raw), 0, "text/plain")
    stack, count = [root], 1
    while stack:
        part = stack.pop()
        children = _children(raw, part, limits.parts - count)
        count += len(children)
        if children and part.depth + 1 > limits.depth:
            raise MimeTooComplex(f"its parts lie more than {limits.depth} deep in each other")
        part.children = children
        stack.extend(children)
    return root


def _part(raw: bytes, start: int, end: int, depth: int, default_type: str) -> Part:
    # Headers of a part are small; a window spares copying a big body.
    window = raw[start : min(end, start + 65_536)]
    headers = Headers.parse(window)
    if headers.body_offset == len(window) and len(window) < end - start:
        headers = Headers.parse(raw[start:end])
    content_type, params = decode_parameters(headers.get("content-type") or default_type)
    if "/" not in content_type:
        content_type = default_type
    disposition, more = decode_parameters(headers.get("content-disposition") or "")
    return Part(
        start, start + headers.body_offset, end, headers, content_type, params, disposition,
        more.get("filename") or params.get("name", ""),
        (headers.get("content-transfer-encoding") or "7bit").partition(";")[0].strip().lower(), depth,
    )  # fmt: skip


def _children(raw: bytes, part: Part, room: int) -> list[Part]:
    """The parts directly inside; a message/rfc822 has one (RFC 2046 §5.2.1)."""
    if part.content_type in ("message/rfc822", "message/global") and part.encoding in ("7bit", "8bit", "binary"):
        return [_part(raw, part.body, part.end, part.depth + 1, "text/plain")] if part.body < part.end else []
    boundary = part.params.get("boundary", "") if part.content_type.startswith("multipart/") else ""
    if not boundary or len(boundary) > 200:
        return []
    default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    children: list[Part] = []
    for start, end in _spans(raw, part, boundary.encode("utf-8", "replace")):
        if len(children) >= room:
            raise MimeTooComplex("it has more parts than anybody means to send")
        children.append(_part(raw, start, end, part.depth + 1, default))
    return children


def _spans(raw: bytes, part: Part, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Where the parts between boundary lines lie (RFC 2046 §5.1.1); the line end before a boundary belongs to it."""
    delimiter = re.compile(rb"(?:^|(?<=\n))--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    begin = -1
    for match in delimiter.finditer(raw, part.body, part.end):
        if begin >= 0:
            yield begin, _before_line_end(raw, begin, match.start())
        begin = match.end()
        if match[1]:
            return
    if begin >= 0:
        yield begin, part.end  # Seen in practice: the closing boundary is missing.


def _before_line_end(raw: bytes, begin: int, position: int) -> int:
    if position > begin and raw[position - 1 : position] == b"\n":
        position -= 1
        if position > begin and raw[position - 1 : position] == b"\r":
            position -= 1
    return position


def first_text(root: Part) -> Part | None:
    """The first text/plain part that is not an attachment."""
    for part in root.walk():
        if part.content_type == "text/plain" and part.disposition != "attachment" and not part.children:
            return part
    return None
