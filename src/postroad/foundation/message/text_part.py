"""A text/plain part of our own making: its header lines and its content in CRLF lines."""

import quopri

_LONGEST_LINE = 900


def text_part(text: str, *, inline: bool = False, description: str = "") -> tuple[bytes, bytes]:
    """Content-* header lines and content; UTF-8, quoted-printable only where a line is too long for SMTP."""
    data = text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace")
    encoding = "8bit"
    if any(len(line) > _LONGEST_LINE for line in data.split(b"\n")):
        data = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        encoding = "quoted-printable"
    fields = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n"
    fields += f"Content-Description: {description}\r\n" if description else ""
    fields += "Content-Disposition: inline\r\n" if inline else ""
    return fields.encode(), data
