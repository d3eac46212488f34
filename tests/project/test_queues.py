"""Mail put into a queue by hand is told by its own key, whatever else is queued meanwhile."""

import pytest

from postroad.community.lists import actions as lists
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode
from postroad.foundation.queue.models import Job
from postroad.project.queues import inject

pytestmark = pytest.mark.django_db


def test_the_key_is_that_of_the_mail_that_was_put_in():
    lists.create_domain("example.com")
    ant = lists.create_list("ant@example.com")
    other = Envelope(journey=queue.new_journey(), message="0" * 64, message_id="other@b", received_at=1.0)
    queue.put("moderation", other)
    # Another mail's key may be the larger one: PostgreSQL numbers rows before they are committed.
    Job.objects.update(id=2_000_000)
    key = inject("in", ant, b"From: a@b\nTo: ant@example.com\nMessage-ID: <mine@b>\n\nHi.\n", by="in a test")
    assert decode(bytes(Job.objects.get(pk=key).envelope)).message_id == "mine@b"
