"""Builds Postroad's own mail: notices, digests, reports. An author's mail never passes through here."""

import email.utils
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesParser
from email.policy import SMTP, compat32

from postroad.foundation.message.message_id import new_message_id

_BREAKS = str.maketrans(dict.fromkeys("\0\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029", " "))
"""Whatever `str.splitlines` takes for a line end, which the email package refuses in a header."""


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
    message = EmailMessage(policy=SMTP.clone(max_line_length=200))
    for name, value in fields.items():
        message[name] = value.translate(_BREAKS)
    if not attachments:
        message.set_content(text, charset="utf-8", cte="8bit" if _short_lines(text) else "quoted-printable")
        return message.as_bytes()
    outer = MIMEMultipart("mixed")
    outer.attach(MIMEText(text, "plain", "utf-8"))
    for attachment in attachments:
        # Parsed with compat32, which keeps what it does not understand.
        outer.attach(MIMEMessage(BytesParser(policy=compat32).parsebytes(attachment)))
    header = message.as_bytes().rstrip(b"\r\n") + b"\r\n"
    return header + outer.as_bytes(policy=compat32.clone(linesep="\r\n"))


def _short_lines(text: str) -> bool:
    return all(len(line.encode()) < 900 for line in text.split("\n"))
