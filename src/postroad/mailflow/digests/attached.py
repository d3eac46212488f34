"""The MIME digest: each post attached as it came, to be answered as if it had come alone (RFC 2046 §5.1.5)."""

import secrets

from postroad.foundation.configuration import current
from postroad.foundation.message.encoded_words import encode_words
from postroad.foundation.message.headers import Field, fold
from postroad.foundation.message.text_part import text_part
from postroad.mailflow.digests import words
from postroad.mailflow.digests.frame import Frame
from postroad.mailflow.digests.items import Item

_LONGEST_LINE = 998
"""Octets that a relay takes (RFC 5321 §4.5.3.1.6): one post that breaks that must not have the whole digest refused."""
_CONTENT = ("mime-version", "content-type", "content-transfer-encoding", "content-disposition")
"""Without them the body cannot be read, whatever the site keeps."""


def content(frame: Frame) -> bytes:
    """Content fields and parts: masthead, header, topics, the posts, footer."""
    outer, inner = secrets.token_hex(16), secrets.token_hex(16)
    posts = [_post(frame, item) for item in frame.items]
    encoding = b"7bit" if all(post.isascii() for post in posts) else b"8bit"
    digest = (
        b"Content-Type: multipart/digest; boundary=" + inner.encode() + b"\r\nContent-Transfer-Encoding: " + encoding
        + b"\r\n\r\n" + _joined(posts, inner)
    )  # fmt: skip
    parts = [_text(text, description) for text, description in _texts(frame)]
    tail = [_text(frame.footer, frame.say(words.FOOTER))] if frame.footer.strip() else []
    fields = f"Content-Type: multipart/mixed; boundary={outer}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    end = frame.say(words.END, title=frame.title)
    return fields.encode() + _joined([*parts, digest, *tail], outer) + f"\r\n{end}\r\n".encode()


def _texts(frame: Frame) -> list[tuple[str, str]]:
    texts = [(frame.masthead, frame.title), (frame.header, ""), (frame.topics, frame.say(words.TOPICS).rstrip(":"))]
    return [(text, description) for text, description in texts if text.strip()]


def _text(text: str, description: str) -> bytes:
    fields, data = text_part(f"{text}\n", description=encode_words(description))
    return fields + b"\r\n" + data


def _joined(parts: list[bytes], boundary: str) -> bytes:
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _post(frame: Frame, item: Item) -> bytes:
    """The part of one post: the header fields worth keeping, and its body byte for byte.

    What no relay would take, or no reader should open, is shown by its text.
    """
    kind = b"Content-Type: message/rfc822\r\n\r\n"
    body = item.raw[item.headers.body_offset :]
    if item.raw and not item.problem and _can_travel(body):
        return kind + _header(item, as_it_is=True) + b"\r\n" + body
    text = "\n\n".join(part for part in (item.text, "\n".join(frame.remarks(item))) if part)
    about, data = text_part(f"{text}\n")
    return kind + _header(item, as_it_is=False) + b"MIME-Version: 1.0\r\n" + about + b"\r\n" + data


def _can_travel(body: bytes) -> bool:
    return b"\0" not in body and all(len(line) <= _LONGEST_LINE for line in body.split(b"\r\n"))


def _header(item: Item, *, as_it_is: bool) -> bytes:
    """The fields of a post that are kept; those of its content only with that content."""
    keep = {name.lower() for name in current().mail.mime_digest_keep_headers}
    keep = keep | set(_CONTENT) if as_it_is else keep - set(_CONTENT)
    lines = [_line(field) for field in item.headers if field.name.lower() in keep - {"message"}]
    if "message" in keep:
        lines.append(f"Message: {item.number}\r\n".encode())
    if not item.headers.fields:
        lines.append(fold("Subject", encode_words(item.subject)))
        lines.append(fold("Message-ID", f"<{item.message_id}>"))
    return b"".join(lines)


def _line(field: Field) -> bytes:
    """A field as it came, unless its lines are too long."""
    if all(len(line) <= _LONGEST_LINE for line in field.raw.split(b"\r\n")) and field.raw.endswith(b"\r\n"):
        return field.raw
    return fold(field.name, field.value)
