"""The delivery report of recipients whom the relay refused in the dialogue (RFC 3464, RFC 6533)."""

import re
import secrets
from collections.abc import Sequence
from email.utils import formatdate

from postroad.foundation.configuration import current
from postroad.foundation.message.message_id import new_message_id

MOST_IN_A_REPORT = 100
"""Recipients in one report; bounces looks at no more."""
_STATUS = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")


def failure_report(to: str, failures: Sequence[tuple[str, str]], message_id: str) -> bytes:
    """One report about all of these (recipient, the relay's reply), in CRLF lines."""
    host = current().site.owner.partition("@")[2]
    mark = f"report-{secrets.token_hex(12)}"
    plain = all(email.isascii() for email, _ in failures)
    kind, coding = ("delivery-status", "7bit") if plain else ("global-delivery-status", "8bit")
    lines = [
        f"From: Postroad <postmaster@{host}>", f"To: <{to}>", "Subject: Delivery failed", f"Date: {formatdate()}",
        f"Message-ID: <{new_message_id(host)}>", "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{mark}"', "",
        f"--{mark}", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "",
        "The mail relay refused these recipients:", "",
        *(f"  {email}: {_one_line(reply)}" for email, reply in failures), "",
        f"--{mark}", f"Content-Type: message/{kind}", f"Content-Transfer-Encoding: {coding}", "",
        f"Reporting-MTA: dns; {host}", "", *(line for email, reply in failures for line in _fields(email, reply)),
        f"--{mark}", "Content-Type: text/rfc822-headers", "", f"Message-ID: <{message_id}>", "", f"--{mark}--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def _fields(email: str, reply: str) -> tuple[str, ...]:
    """One recipient (RFC 3464 §2.3). Temporary refusals until the time was over are X.4.7 (RFC 3463 §3.5)."""
    kind = "rfc822" if email.isascii() else "utf-8"
    status = _STATUS.search(reply)
    expired = not reply.startswith("5")
    code = "5.4.7" if expired else status[0] if status else "5.0.0"
    return (
        f"Final-Recipient: {kind}; {email}", "Action: failed", f"Status: {code}",
        f"Diagnostic-Code: smtp; {_one_line(reply)}", "",
    )  # fmt: skip


def _one_line(reply: str) -> str:
    """A reply as it can stand in a report: one line, ASCII (RFC 3464 §2.3.6)."""
    return " ".join(reply.split()).encode("ascii", "replace").decode()[:500]
