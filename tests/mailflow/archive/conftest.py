"""A list and a hand to archive mails in it, the way the worker does."""

import email.utils
import time
from collections.abc import Callable

import pytest

from postroad.community.lists.models import MailingList
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_of
from postroad.mailflow.archive import actions
from postroad.mailflow.archive.models import Mail

FIRST_OF_MARCH = 1_772_323_200.0
"""2026-03-01 00:00 UTC."""

Archive = Callable[..., Mail | None]


def mail_bytes(
    name: str, text: str = "Hello.\n", *, subject: str = "Ants", references: tuple[str, ...] = (), days: float = 0,
    sender: str = "Anne Person <anne@example.com>", headers: str = "", content_type: str = "text/plain; charset=utf-8",
) -> bytes:  # fmt: skip
    """A mail as it arrives; names become Message-IDs at example.com."""
    fields = [
        f"From: {sender}",
        "To: ant@example.com",
        f"Subject: {subject}",
        f"Date: {email.utils.formatdate(FIRST_OF_MARCH + days * 86_400)}",
        f"Message-ID: <{name}@example.com>",
        f"Content-Type: {content_type}",
    ]
    if references:
        fields.append("References: " + " ".join(f"<{r}@example.com>" for r in references))
    block = "\n".join([*fields, *filter(None, [headers])])
    return f"{block}\n\n{text}".encode()


@pytest.fixture
def archive(ant) -> Archive:
    def archived(name: str, text: str = "Hello.\n", *, mailing_list: MailingList = ant, **parts) -> Mail | None:
        raw = mail_bytes(name, text, **parts)
        return archive_raw(raw, mailing_list)

    return archived


def archive_raw(raw: bytes, mailing_list: MailingList) -> Mail | None:
    message_id = message_id_of(Headers.parse(raw)) or "none@example.com"
    return actions.archive(mailing_list, actions.Incoming(raw, message_id, time.time()))
