"""Sorts the relay's replies by what follows from them: nothing, another try, a failed recipient, a refused mail.

A reply is kept as one line, `250 2.0.0 Ok`. What was not said of a recipient says so itself, `554 (to MAIL) 5.7.1 no`:
it survives the journal that way, and people read it in `trace`.
"""

import re
from typing import Literal

from postroad.mailflow.delivery.relay import Outcome, Stage

Sort = Literal["delivered", "temporary", "recipient", "mail"]

_MARKS: dict[Stage, str] = {
    "mail": "(to MAIL) ",
    "content": "(to the message) ",
    "local": "(by Postroad) ",
    "connection": "(no reply) ",
    "rcpt": "",
}
_MARK = re.compile(r"\((?:to MAIL|to the message|by Postroad|no reply)\) ")
_OF_A_RECIPIENT = re.compile(r"5\.(?:1\.(?:[1236]|10)|2\.\d{1,3}|6\.7)\b")
"""Seen in practice: "5.1.1 unknown user" and "5.2.2 mailbox full" only after the message. 5.6.7: RFC 6531."""


def line_of(outcome: Outcome) -> str:
    """The reply as it is kept."""
    mark = _MARKS[outcome.stage] if outcome.code >= 400 else ""
    return f"{outcome.code} {mark}{outcome.text}"


def sort(reply: str) -> Sort:
    """What follows from a reply.

    552 is temporary, since old relays mean 452 by it (RFC 5321 §4.5.3.1.10). A personal copy is refused as a mail when
    the relay wanted neither sender nor content: that says nothing about its one recipient.
    """
    if reply.startswith("2"):
        return "delivered"
    if not reply.startswith("5") or reply.startswith("552"):
        return "temporary"
    mark = _MARK.match(reply, 4)
    if mark is None or _OF_A_RECIPIENT.match(reply, mark.end()):
        return "recipient"
    return "mail"
