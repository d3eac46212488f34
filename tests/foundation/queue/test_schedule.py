"""Tasks run at their time, once, and are caught up."""

import time

import pytest

from postroad.foundation.queue.models import TaskRun
from postroad.foundation.queue.schedule import DAY, Scheduler, Task

pytestmark = pytest.mark.django_db(transaction=True)


def make_due(name: str) -> None:
    TaskRun.objects.update_or_create(name=name, defaults={"due_at": time.time() - 3 * DAY})


def test_a_new_task_waits_for_its_first_round():
    ran = []
    Scheduler([Task("digests", lambda: ran.append(1), every=DAY)]).run_due()
    assert not ran
    assert TaskRun.objects.get(name="digests").due_at > time.time()


def test_a_task_that_was_missed_for_days_runs_once():
    ran = []
    make_due("digests")
    scheduler = Scheduler([Task("digests", lambda: ran.append(1), every=DAY)])
    scheduler.run_due()
    scheduler.run_due()
    assert ran == [1]


def test_of_two_hosts_only_one_runs_a_task():
    ran = []
    make_due("digests")
    other = Scheduler([Task("digests", lambda: ran.append("other"), every=DAY)])

    def work() -> None:
        ran.append("first")
        other.run_due()

    Scheduler([Task("digests", work, every=DAY)]).run_due()
    assert ran == ["first"]


def test_a_failing_task_is_noted_and_stops_no_other():
    ran = []
    make_due("broken")
    make_due("sound")

    def fail() -> None:
        raise ValueError("no such list")

    Scheduler([Task("broken", fail, every=DAY), Task("sound", lambda: ran.append(1), every=DAY)]).run_due()
    assert ran == [1]
    row = TaskRun.objects.get(name="broken")
    assert "ValueError: no such list" in row.error
    assert row.due_at <= time.time() + 300


def test_rounds_count_from_midnight():
    noon = Task("digests", lambda: None, every=DAY, at=12 * 3600)
    assert noon.next_after(10 * DAY) == 10 * DAY + 12 * 3600
    assert noon.next_after(10 * DAY + 12 * 3600) == 11 * DAY + 12 * 3600


def test_stopping_ends_the_wait_at_once():
    import threading

    scheduler = Scheduler([Task("digests", lambda: None, every=DAY)])
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    scheduler.stop()
    thread.join(5)
    assert not thread.is_alive()
