"""The moderators' password in a mail: `Approved: secret` as a header field or as the text's first line."""

import base64
import html
import quopri
import re

from postroad.foundation.message.headers import Remove, apply_edits
from postroad.foundation.message.mime import Part
from postroad.mailflow.moderation.post import Post

FIELDS = ("Approve", "Approved", "X-Approve", "X-Approved")

_NAME = rb"(?:x-)?approved?"
# Nobody's password is longer than a line of 500; a longer one would become a pattern of that length.
_FIRST_LINE = re.compile(
    rb"\A(?:[ \t]*\r?\n)*[ \t]*(" + _NAME + rb")[ \t]*:[ \t]*([^\r\n]{1,500})(?:\r?\n|\Z)", re.IGNORECASE
)


def given_password(post: Post) -> str | None:
    """The password a mail carries, right or wrong: the first of the fields, else the first line of the text."""
    for field in FIELDS:
        value = post.headers.get(field)
        if value is not None:
            return value.strip()
    match = _first_line(post)
    return match[2].decode("utf-8", "replace").strip() if match else None


def _first_line(post: Post) -> "re.Match[bytes] | None":
    return _FIRST_LINE.match(post.text_part.decoded(post.raw)) if post.text_part else None


def without_password(post: Post) -> bytes:
    """The mail without the fields, and without the line in the text and in its other forms, such as HTML."""
    raw = post.raw
    match = _first_line(post)
    if match is not None:
        line = _line_anywhere(match[2].decode("utf-8", "replace").strip())
        for part in sorted(post.text_parts, key=lambda part: part.start, reverse=True):
            content = part.decoded(post.raw)
            if part is post.text_part:
                content = content[match.end() :]
            cleaned = line.sub(b"", content)
            if cleaned != content or part is post.text_part:
                raw = raw[: part.body] + _encoded(part, cleaned) + raw[part.end :]
    return apply_edits(raw, [Remove(field) for field in FIELDS if field in post.headers])


def _line_anywhere(password: str) -> re.Pattern[bytes]:
    """The field with this password as HTML and quoting programs write it."""
    forms = {password.encode(), html.escape(password).encode(), html.escape(password, quote=False).encode()}
    secret = b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    space = rb"(?:[ \t]|&nbsp;|&#160;|\xc2\xa0|\xa0){0,20}"
    return re.compile(_NAME + space + rb"(?::|&#58;)" + space + rb"(?:" + secret + rb")", re.IGNORECASE)


def _encoded(part: Part, content: bytes) -> bytes:
    """The content in the part's transfer encoding again (RFC 2045 §6)."""
    if part.encoding == "base64":
        return base64.encodebytes(content).replace(b"\n", b"\r\n")
    if part.encoding == "quoted-printable":
        return quopri.encodestring(content.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return content
