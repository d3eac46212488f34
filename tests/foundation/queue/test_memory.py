"""What a batch of mails looks up once is never out of date."""

import pytest

from postroad.foundation.queue import actions as queue
from postroad.foundation.queue import memory
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.queue.worker import Stage, Worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def looked_up():
    asked = []

    def run(key="list"):
        return memory.once(key, lambda: asked.append(key) or len(asked))

    run.asked = asked
    return run


def worked(work, count):
    queue.put_many(
        "test", [Envelope(journey="j", message="", message_id=str(i), received_at=0.0) for i in range(count)]
    )
    Worker("memory", (Stage("test", work),)).run_once()


def test_outside_of_a_batch_nothing_is_remembered(looked_up):
    assert [looked_up(), looked_up()] == [1, 2]


def test_the_mails_of_a_batch_look_up_once(looked_up):
    worked(lambda envelope: looked_up() and None, 3)
    assert looked_up.asked == ["list"]
    worked(lambda envelope: looked_up() and None, 2)
    assert looked_up.asked == ["list", "list"], "the next batch asks anew"


def test_what_a_failed_mail_left_behind_is_forgotten(looked_up):
    """Its changes were undone, so what was read after them may not be true.

    The batch is undone first, and begun anew mail by mail; the third of them asks again.
    """

    def work(envelope):
        looked_up()
        if envelope.message_id == "1":
            raise ValueError("broken")

    worked(work, 3)
    assert looked_up.asked == ["list", "list", "list"]
