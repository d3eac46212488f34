"""A mail with commands comes in by its queue and ends where it can be seen."""

import time

import pytest

from postroad.community.lists import actions as lists
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.queue.models import Step
from postroad.foundation.storage import actions as storage
from postroad.mailflow.mail_commands.worker import work

pytestmark = pytest.mark.django_db


def test_every_mail_leaves_a_step():
    lists.create_domain("commands.example")
    mailing_list = lists.create_list("ants@commands.example")
    data = b"From: anne@example.org\r\nSubject: help\r\n\r\n"
    work(
        Envelope(
            journey=queue.new_journey(), message=storage.store(data), message_id="m@example.org", kind="request",
            received_at=time.time(), list_id=mailing_list.list_id, sender="anne@example.org", size=len(data),
        )
    )  # fmt: skip
    assert Step.objects.get().stage == "mail_commands"
