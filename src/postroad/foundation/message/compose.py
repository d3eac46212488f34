"""Builds Postroad's own mail: notices, digests, reports. An author's mail never passes through here."""

import email.utils
import re
import secrets
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP

from postroad.foundation.message.addresses import parse_addresses
from postroad.foundation.message.message_id import new_message_id

_BREAKS = str.maketrans(dict.fromkeys("\0\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029", " "))
"""Whatever `str.splitlines` takes for a line end, which the email package refuses in a header."""
_POLICY = SMTP.clone(max_line_length=200)
_INTERNATIONAL = _POLICY.clone(utf8=True)
"""For addresses that are not ASCII: no encoded word may stand in an address (RFC 2047 §5), so it is written as it is
(RFC 6532), and delivery writes it anew for a relay that wants ASCII."""
_OF_ADDRESSES = ("From", "To", "Cc", "Reply-To", "Sender")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def compose(
    *,
    from_: str,
    to: str,
    subject: str,
    text: str,
    headers: Mapping[str, str] | None = None,
    attachments: Sequence[bytes] = (),
    message_id: str = "",
) -> bytes:
    """A mail of ours in CRLF lines: text in UTF-8, whole mails attached as message/rfc822, Date and Message-ID set.

    Line breaks in a header value become spaces: no value brings a header of its own.
    """
    domain = from_.rpartition("@")[2].strip("> ") or "localhost"
    fields = {
        "From": from_, "To": to, "Subject": subject, "Date": email.utils.formatdate(localtime=False),
        "Message-ID": f"<{message_id or new_message_id(domain)}>", **(headers or {}),
    }  # fmt: skip
    addresses = parse_addresses(fields[name] for name in _OF_ADDRESSES if name in fields)
    plain = all(address.email.isascii() for address in addresses)
    message = EmailMessage(policy=_POLICY if plain else _INTERNATIONAL)
    for name, value in fields.items():
        message[name] = value.translate(_BREAKS)
    if not attachments:
        _set_text(message, text)
        return message.as_bytes()
    return message.as_bytes().rstrip(b"\r\n") + b"\r\n" + _multipart(text, attachments)


def _set_text(part: EmailMessage, text: str) -> None:
    part.set_content(text, charset="utf-8", cte="8bit" if _short_lines(text) else "quoted-printable")


def _multipart(text: str, attachments: Sequence[bytes]) -> bytes:
    """Fields and body of a multipart/mixed (RFC 2046 §5.1.3): what is attached is not parsed, so it cannot break."""
    boundary = secrets.token_hex(16)
    opening = EmailMessage(policy=_POLICY)
    _set_text(opening, text)
    del opening["MIME-Version"]
    parts = [opening.as_bytes()]
    parts += [_attached(_LINE_END.sub(b"\r\n", attachment)) for attachment in attachments]
    fields = f"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary={boundary}\r\n"
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
    return fields.encode() + _encoding(body) + b"\r\n" + body + b"--%b--\r\n" % boundary.encode()


def _attached(mail: bytes) -> bytes:
    return b"Content-Type: message/rfc822\r\n" + _encoding(mail) + b"\r\n" + mail


def _encoding(body: bytes) -> bytes:
    """A whole that holds 8-bit parts says so (RFC 2045 §6.4); it cannot be encoded any other way."""
    return b"" if body.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"


def _short_lines(text: str) -> bool:
    return all(len(line.encode()) < 900 for line in text.split("\n"))
