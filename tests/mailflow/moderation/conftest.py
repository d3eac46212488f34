"""A list, and mails to it judged as the moderation stage judges them."""

import time

import pytest

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.post import Post

PLAIN = b"Hello ants,\r\nthis is a post.\r\n"


def mail(body: bytes = PLAIN, **fields: str | None) -> bytes:
    """A mail by Anne to the ants; `subject=None` leaves a field out, `list_post=` is List-Post."""
    given = {name.replace("_", "-").title(): value for name, value in fields.items()}
    everything = {
        "From": "Anne <anne@example.org>", "To": "ant@example.com", "Subject": "Hello", "Message-Id": "<one@example.org>", **given,
    }  # fmt: skip
    header = "".join(f"{name}: {value}\r\n" for name, value in everything.items() if value is not None)
    return header.encode() + b"\r\n" + body


@pytest.fixture
def anne(ant):
    """Anne, a member of the ants."""
    return subscriptions.join(
        ant, "anne@example.org", pre_verified=True, pre_confirmed=True, pre_approved=True, send_welcome_message=False
    ).member


def post(mailing_list, raw: bytes, **envelope) -> Post:
    """The mail as the rules see it."""
    values = {
        "journey": "test", "message": "", "message_id": "one@example.org", "received_at": time.time(), "size": len(raw),
        "list_id": mailing_list.list_id, "sender": "anne@example.org", **envelope,
    }  # fmt: skip
    return Post(mailing_list, Envelope(**values), raw)


@pytest.fixture
def judged(ant):
    """Judge a mail to the ants: `judged(mail(subject=""))`; settings of the list by `config={…}`."""

    def run(raw: bytes, config: dict | None = None, **envelope):
        if config:
            lists.change_settings(ant, config)
        return judge(post(ant, raw, **envelope))

    return run
