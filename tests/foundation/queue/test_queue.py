"""The queue's promises, on the real database."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time

import msgspec
import pytest
from django.db import connection, transaction

from postroad.foundation.configuration import current
from postroad.foundation.errors import TryLater
from postroad.foundation.queue import actions
from postroad.foundation.queue.envelope import Envelope, decode, encode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.queue.wakeup import Wakeup
from postroad.foundation.queue.worker import Stage, Worker
from postroad.foundation.storage import actions as storage

pytestmark = pytest.mark.django_db(transaction=True)


def envelope(name: str = "one") -> Envelope:
    return Envelope(journey=actions.new_journey(), message="0" * 64, message_id=f"{name}@example.org", received_at=1.0)


def test_an_envelope_survives_its_way_through_the_database():
    e = envelope()
    assert decode(encode(e)) == e


def test_a_job_is_worked_on_once_and_then_gone():
    seen = []
    actions.put_many("a", [envelope(str(n)) for n in range(60)])
    assert Worker("test", [Stage("a", lambda e: seen.append(e.message_id), batch=7)]).run_until_idle() == 60
    assert len(set(seen)) == 60
    assert not Job.objects.exists()


def test_what_a_failed_step_did_is_undone_and_its_neighbours_go_on():
    def work(e):
        actions.put("next", e)
        if e.message_id.startswith("bad"):
            raise ValueError("no such header")

    actions.put_many("a", [envelope("good1"), envelope("bad"), envelope("good2")])
    Worker("test", [Stage("a", work)]).run_until_idle()
    assert Job.objects.filter(queue="next").count() == 2
    job = Job.objects.get(queue="a")
    assert job.state == Job.State.QUARANTINED
    assert "ValueError: no such header" in job.error
    assert Step.objects.get().outcome == "quarantined"


def test_a_whole_batch_leaves_what_each_of_its_mails_left_in_order():
    def work(e):
        actions.put("next", e)
        actions.record(e, "a", "passed")

    names = [f"{n}@example.org" for n in range(10)]
    actions.put_many("a", [envelope(str(n)) for n in range(10)])
    Worker("test", [Stage("a", work)]).run_once()
    assert [job.message_id for job in Job.objects.order_by("id")] == names
    assert [step.message_id for step in Step.objects.order_by("id")] == names


def test_a_mail_sees_what_its_neighbours_of_the_batch_came_to():
    """A loop that comes back in one batch is counted like one that takes its time."""
    counted = []

    def work(e):
        counted.append(actions.times_done(e, "a", "passed"))
        actions.record(e, "a", "passed")

    actions.put_many("a", [envelope(), envelope(), envelope("other")])
    Worker("test", [Stage("a", work)]).run_once()
    assert counted == [0, 1, 0]
    assert actions.times_done(envelope(), "a", "passed") == 2


def test_a_stage_may_take_several_mails_at_once_and_one_that_fails_is_found():
    seen = []

    def work(envelopes):
        seen.append([e.message_id.partition("@")[0] for e in envelopes])
        if any(e.message_id.startswith("bad") for e in envelopes):
            raise ValueError("no such header")

    actions.put_many("a", [envelope("one"), envelope("bad"), envelope("two")])
    Worker("test", [Stage("a", work, together=2)]).run_until_idle()
    assert seen == [["one", "bad"], ["one"], ["bad"], ["two"]]
    assert Job.objects.get().message_id == "bad@example.org"


def test_a_quarantined_job_can_be_retried():
    broken = [True]

    def work(e):
        if broken[0]:
            raise ValueError

    actions.put("a", envelope())
    worker = Worker("test", [Stage("a", work)])
    worker.run_until_idle()
    broken[0] = False
    assert actions.retry([Job.objects.get().id]) == 1
    assert worker.run_until_idle() == 1
    assert not Job.objects.exists()


def test_a_temporary_failure_is_put_off_not_quarantined():
    def work(e):
        raise TryLater("the disk is full")

    actions.put("a", envelope())
    Worker("test", [Stage("a", work)]).run_until_idle()
    job = Job.objects.get()
    assert (job.state, job.error) == (Job.State.LIVE, "the disk is full")
    assert job.due_at > time.time() + 5


def test_a_claimed_job_is_nobody_elses_until_the_lease_ends():
    actions.put("a", envelope())
    first = actions.claim("a", "w1", 10, lease=60)
    assert len(first) == 1
    assert actions.claim("a", "w2", 10) == []
    Job.objects.update(due_at=0)
    second = actions.claim("a", "w2", 10)
    assert second[0].attempts == 2
    with pytest.raises(actions.LeaseLost), transaction.atomic():
        actions.acknowledge(first[0])
    with transaction.atomic():
        actions.acknowledge(second[0])
    assert not Job.objects.exists()


def test_a_job_that_kills_its_worker_again_and_again_is_quarantined():
    actions.put("a", envelope())
    for _ in range(6):
        actions.claim("a", "dies", 1)
        actions.release_claims("dies")
    Worker("test", [Stage("a", lambda e: None)]).run_until_idle()
    assert Job.objects.get().state == Job.State.QUARANTINED


def test_a_job_that_is_put_off_again_and_again_is_not_blamed_for_any_death():
    """Only who let a claim end without a word has died; a temporary failure may come a hundred times."""
    seen = []

    def work(e):
        seen.append(e)
        if len(seen) <= 10:
            raise TryLater("DNS is away")

    actions.put("a", envelope())
    worker = Worker("test", [Stage("a", work)])
    for _ in range(11):
        worker.run_until_idle()
        Job.objects.update(due_at=0)
    assert len(seen) == 11
    assert not Job.objects.exists()


def test_a_job_whose_worker_died_is_claimed_alone_and_those_before_it_without_it():
    """Who is killed between a claim and the work on it leaves the blame with one job."""
    actions.put_many("a", [envelope("1"), envelope("2")])
    actions.claim("a", "dies", 2)
    actions.release_claims("dies")
    actions.put("a", envelope("3"), due_at=1.0)
    taken = []
    while jobs := actions.claim("a", "w", 10, suspects_alone=True):
        taken.append([(job.envelope.message_id, job.deaths) for job in jobs])
    assert taken == [[("3@example.org", 0)], [("1@example.org", 1)], [("2@example.org", 1)]]


def test_the_neighbours_of_a_job_that_kills_its_worker_are_not_blamed():
    """After a death each job of the batch is worked on alone; only the guilty one ends in quarantine."""
    actions.put_many("a", [envelope("good1"), envelope("bad"), envelope("good2")])
    done = []

    class Death(BaseException):
        pass

    def work(e):
        if e.message_id.startswith("bad"):
            raise Death
        done.append(e.message_id)

    for _ in range(20):
        worker = Worker("test", [Stage("a", work, batch=10)])
        try:
            worker.run_until_idle()
        except Death:
            actions.release_claims(worker.name)
    assert {"good1@example.org", "good2@example.org"} <= set(done)
    job = Job.objects.get()
    assert (job.message_id, job.state) == ("bad@example.org", Job.State.QUARANTINED)


def test_a_restarted_worker_gets_its_own_claims_back_at_once():
    actions.put("a", envelope())
    actions.claim("a", "host:mail", 1)
    assert actions.release_claims("host:mail") == 1
    assert len(actions.claim("a", "other", 1)) == 1


def no_room():
    """What the database says when its disk is full, said by itself."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$")
        cursor.execute("PRAGMA max_page_count = 1")
        cursor.execute("PRAGMA freelist_count")
        storage.store(os.urandom(1_000_000 + cursor.fetchone()[0] * 4096))


def nonsense():
    """A statement the database refuses, again and again, in the class of errors it has for trouble of its own."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'enough' USING ERRCODE = '57014'; END $$")
        cursor.execute("SELECT nonsense(")


def worked(work, names, done) -> None:
    """Let a worker run until `done` is true."""
    actions.put_many("a", [envelope(name) for name in names])
    worker = Worker("test", [Stage("a", work, batch=10)])
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert done.wait(20), "a claim was kept until its lease ended"
    finally:
        worker.stop()
        thread.join(10)


def test_a_database_in_trouble_keeps_no_job_waiting_for_its_lease_and_blames_none():
    seen, done = [], threading.Event()

    def work(e):
        seen.append(e.message_id)
        if len(seen) == 2:
            no_room()
        if len(set(seen)) == 3:
            done.set()

    worked(work, ["one", "two", "three"], done)
    assert not Job.objects.filter(deaths__gt=0).exists()
    assert not Job.objects.exists()


def test_a_mail_the_database_refuses_again_and_again_is_found_out_and_its_neighbours_pass():
    done = threading.Event()
    names = ["bad", "good1", "good2"]
    passed = []

    def work(e):
        if e.message_id.startswith("bad"):
            nonsense()
        passed.append(e.message_id)
        if len(passed) >= 2:
            done.set()

    worked(work, names, done)
    job = Job.objects.get()
    assert job.message_id == "bad@example.org"
    assert job.deaths > 0


def test_a_waiting_worker_is_woken_by_the_commit():
    seen = threading.Event()
    worker = Worker("test", [Stage("a", lambda e: seen.set())])
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        with transaction.atomic():
            actions.put("a", envelope())
        assert seen.wait(5)
    finally:
        worker.stop()
        thread.join(10)
        connection.close()


def test_only_who_works_on_a_queue_is_woken():
    ears = {name: Wakeup(f"on {name}", [name, "both"]) for name in ("a", "b")}
    try:
        with transaction.atomic():
            actions.put("a", envelope())
        assert ears["a"].wait(5) == {"a"}
        assert ears["b"].drain() == set()
        with transaction.atomic():
            actions.put("both", envelope())
        assert [ear.wait(5) for ear in ears.values()] == [{"both"}, {"both"}]
    finally:
        for ear in ears.values():
            ear.close()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has a connection to listen on")
def test_an_event_loop_hears_again_after_the_database_was_restarted():
    """The new connection has the number of the lost one; the loop must not take it for the one it knows."""

    async def heard(event):
        async with asyncio.timeout(10):
            await event.wait()
        event.clear()

    async def run():
        loop, event, wakeup = asyncio.get_running_loop(), asyncio.Event(), Wakeup("ear", ["b"])
        wakeup.attach(loop, lambda: (wakeup.drain(), event.set()))
        try:
            await loop.run_in_executor(
                None,
                elsewhere,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN %' AND datname = current_database()",
            )
            while not await loop.run_in_executor(None, wakeup.listen):
                await heard(event)
            event.clear()
            await loop.run_in_executor(None, elsewhere, "SELECT pg_notify('postroad:b', '')")
            await heard(event)
        finally:
            wakeup.close()

    def elsewhere(statement):
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    asyncio.run(run())


@pytest.mark.sqlite_only
def test_the_socket_of_a_process_that_was_killed_is_removed():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    own = current().home / "run" / f"gone.{child.pid}.wake"
    named = own.with_name(f"a@{own.name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(own))
    named.hardlink_to(own)
    with transaction.atomic():
        actions.put("a", envelope())
    assert not named.exists()
    assert not own.exists()


def test_a_job_that_comes_due_later_is_worked_on_then():
    seen = threading.Event()
    with transaction.atomic():
        actions.put("a", envelope(), due_at=time.time() + 0.3)
    worker = Worker("test", [Stage("a", lambda e: seen.set())])
    assert worker.run_once() == 0
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert seen.wait(5)
    finally:
        worker.stop()
        thread.join(10)
        connection.close()


def test_many_workers_do_every_job_exactly_once():
    done, lock = [], threading.Lock()

    def work(e):
        with lock:
            done.append(e.message_id)

    actions.put_many("a", [envelope(str(n)) for n in range(300)])

    def run(name):
        Worker(name, [Stage("a", work, batch=5)]).run_until_idle()
        connection.close()

    threads = [threading.Thread(target=run, args=(f"t{n}",)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert sorted(done) == sorted(f"{n}@example.org" for n in range(300))


def test_a_pause_keeps_what_comes_and_lets_nothing_begin():
    seen = []
    worker = Worker("test", [Stage("a", lambda e: seen.append(e.message_id))])
    actions.pause(60, "an upgrade")
    actions.put("a", envelope())
    assert worker.run_until_idle() == 0
    assert actions.next_due(["a"]) == actions.paused_until()
    actions.resume()
    assert worker.run_until_idle() == 1
    assert seen == ["one@example.org"]


def test_a_pause_nobody_keeps_up_ends_by_itself():
    actions.pause(-1, "an upgrade that died")
    actions.put("a", envelope())
    assert actions.paused_until() is None
    assert Worker("test", [Stage("a", lambda e: None)]).run_until_idle() == 1


def test_when_one_cannot_be_dropped_none_is_and_no_journey_says_so():
    actions.put("a", envelope("1"))
    actions.put("a", envelope("2"))
    Job.objects.update(state=Job.State.QUARANTINED)
    last = Job.objects.latest("pk")
    Job.objects.filter(pk=last.pk).update(envelope=b"no envelope")
    with pytest.raises(msgspec.DecodeError):
        actions.drop(Job.objects.values_list("pk", flat=True))
    assert Job.objects.count() == 2
    assert not Step.objects.filter(outcome="dropped").exists()


def test_no_more_jobs_are_claimed_than_were_asked_for_whatever_the_plan():
    """PostgreSQL may look for the jobs due again for each row it compares, and each time find the next one."""
    for name in "abc":
        actions.put("pipeline", envelope(name))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            kinds = ("hashjoin", "mergejoin", "material", "hashagg", "sort")
            cursor.execute("; ".join(f"SET enable_{kind}=off" for kind in kinds))
    try:
        assert [len(actions.claim("pipeline", "w", 1)) for _ in range(4)] == [1, 1, 1, 0]
    finally:
        connection.close()
