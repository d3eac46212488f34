"""A text part of our own making: its header lines and its content in CRLF lines."""

import quopri

from postroad.foundation.message.headers import fold

_LONGEST_LINE = 900


def text_part(text: str, *, inline: bool = False, description: str = "") -> tuple[bytes, bytes]:
    """Content-* header lines and content of a text/plain part; the description is ASCII."""
    fields, data = encoded_text(text, "plain")
    fields += fold("Content-Description", description) if description else b""
    fields += b"Content-Disposition: inline\r\n" if inline else b""
    return fields, data


def encoded_text(text: str, subtype: str) -> tuple[bytes, bytes]:
    """Type and encoding lines, and the content: UTF-8, quoted-printable only where a line is too long for SMTP."""
    data = text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace")
    encoding = "8bit"
    if any(len(line) > _LONGEST_LINE for line in data.split(b"\n")):
        data = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        encoding = "quoted-printable"
    return f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n".encode(), data
