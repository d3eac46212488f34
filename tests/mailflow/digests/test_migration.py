"""Posts that an older release kept for its digests wait for the next one."""

import time

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from postroad.community.lists import actions as lists
from postroad.foundation.queue.envelope import Envelope, encode
from postroad.mailflow.digests import queries
from postroad.mailflow.digests.models import Post

OLD = [("digests", "0001_initial")]


@pytest.mark.django_db(transaction=True)
def test_what_was_kept_is_taken_over():
    lists.create_domain("example.com")
    ants = lists.create_list("ants@example.com")
    executor = MigrationExecutor(connection)
    executor.migrate(OLD)
    kept = executor.loader.project_state(OLD).apps.get_model("digests", "Kept")
    envelope = Envelope(
        journey="j", message="a" * 64, message_id="one@x", received_at=5.0, size=100, list_id=ants.list_id
    )
    for list_id in (ants.list_id, ants.list_id, "gone.example.com"):
        kept.objects.create(
            list_id=list_id, message="a" * 64, message_id="one@x", envelope=encode(envelope), kind="posting",
            recipient="ants@example.com", received_at=time.time(),
        )  # fmt: skip
    newest = MigrationExecutor(connection)
    newest.migrate(newest.loader.graph.leaf_nodes("digests"))
    assert Post.objects.filter(mailing_list=ants, message="a" * 64, journey="j", size=100).count() == 2
    state = queries.waiting(ants)
    assert (state.posts, state.size) == (2, 200)
