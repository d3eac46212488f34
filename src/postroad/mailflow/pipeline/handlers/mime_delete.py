"""Content filter: parts a list does not want are left out, the others keep their bytes (facts: mail-flow §13)."""

from postroad.foundation.message.headers import Append, Headers
from postroad.foundation.message.mime import MimeTooComplex, Part, walk
from postroad.mailflow.pipeline import settings
from postroad.mailflow.pipeline.draft import Draft

name = "mime-delete"

DISPOSED = "The content of the mail is not allowed on this list."


def apply(draft: Draft) -> None:
    """Filter the post, or end its way when nothing is left of it."""
    if not settings.filter_content.of(draft.mailing_list) or draft.is_digest:
        return
    try:
        root = walk(draft.raw)
    except MimeTooComplex as error:
        draft.dropped = str(error)
        return
    wanted = _Wanted(draft)
    if not wanted.allows(root):
        _dispose(draft)
        return
    body = _filtered(draft.raw, root, wanted)
    if body is None:
        _dispose(draft)
        return
    header, content = body
    if header is not None or content != draft.raw[root.body : root.end]:
        kept = draft.raw[: root.body] if header is None else _with_content_fields(draft.raw, root, header)
        draft.replace_raw(kept + content)
        draft.edit(Append("X-Content-Filtered-By", "Postroad"))
        draft.filtered = True


def _dispose(draft: Draft) -> None:
    if settings.filter_action.of(draft.mailing_list) == "reject":
        draft.rejected = DISPOSED
    else:
        draft.dropped = DISPOSED


class _Wanted:
    """Which parts may stay."""

    def __init__(self, draft: Draft) -> None:
        mailing_list = draft.mailing_list
        self.types = set(settings.filter_types.of(mailing_list))
        self.pass_types = set(settings.pass_types.of(mailing_list))
        self.extensions = {e.lower().lstrip(".") for e in settings.filter_extensions.of(mailing_list)}
        self.pass_extensions = {e.lower().lstrip(".") for e in settings.pass_extensions.of(mailing_list)}
        self.collapse = settings.collapse_alternatives.of(mailing_list)

    def allows(self, part: Part) -> bool:
        """Whether the part's type and file name extension are wanted."""
        kinds = {part.content_type, part.content_type.partition("/")[0]}
        if kinds & self.types or (self.pass_types and not kinds & self.pass_types):
            return False
        extension = part.filename.rpartition(".")[2].lower() if "." in part.filename else ""
        if not extension:
            return True
        return extension not in self.extensions and (not self.pass_extensions or extension in self.pass_extensions)


_Body = tuple[bytes | None, bytes]
"""Content fields to use instead of the part's own (None keeps them), and the content."""


def _filtered(raw: bytes, part: Part, wanted: _Wanted) -> _Body | None:
    """The part with what is unwanted left out; None when nothing is left."""
    content = raw[part.body : part.end]
    if not part.content_type.startswith("multipart/") or not part.children or part.content_type == "multipart/signed":
        return None, content
    kept: list[tuple[bytes, bytes]] = []
    for child in part.children:
        if not wanted.allows(child):
            continue
        result = _filtered(raw, child, wanted)
        if result is not None:
            fields, inner = result
            kept.append((_content_fields(raw, child) if fields is None else fields, inner))
            if wanted.collapse and part.content_type == "multipart/alternative":
                break
    if not kept:
        return None
    if len(kept) == 1:
        return kept[0]
    if len(kept) == len(part.children) and all(
        inner == raw[child.body : child.end] for child, (_, inner) in zip(part.children, kept, strict=True)
    ):
        return None, content
    line = b"--" + part.params["boundary"].encode("utf-8", "replace")
    pieces = b"".join(line + b"\r\n" + fields + b"\r\n" + inner + b"\r\n" for fields, inner in kept)
    return None, pieces + line + b"--\r\n"


def _content_fields(raw: bytes, part: Part) -> bytes:
    """The header of a part, as it stands."""
    return b"".join(field.raw for field in Headers.parse(raw[part.start : part.body]))


def _with_content_fields(raw: bytes, root: Part, fields: bytes) -> bytes:
    """The mail's own header with the content fields of the part that took its place."""
    own = b"".join(f.raw for f in root.headers if not f.name.lower().startswith("content-"))
    moved = b"".join(f.raw for f in Headers.parse(fields + b"\r\n") if f.name.lower().startswith("content-"))
    return own + moved + b"\r\n"
