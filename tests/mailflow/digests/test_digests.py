"""Posts wait in their list until a digest takes them along."""

import time

import pytest

from postroad.community.lists import actions as lists
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.digests.models import Kept
from postroad.mailflow.digests.worker import work


@pytest.mark.django_db
def test_a_post_is_kept_until_it_is_sent():
    lists.create_domain("example.com")
    ant = lists.create_list("ant@example.com")
    raw = b"From: anne@example.org\r\nSubject: One\r\n\r\nBody.\r\n"
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(raw), message_id="one@example.org",
        received_at=time.time(), list_id=ant.list_id,
    )  # fmt: skip
    work(envelope)
    assert list(Kept.objects.values_list("list_id", "message")) == [(ant.list_id, storage.key_of(raw))]
