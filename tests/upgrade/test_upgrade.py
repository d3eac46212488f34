"""`upgrade` and `rollback` on the real database: one release back, forward, and back again."""

import contextlib
import json
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import call_command
from django.db import connection

from postroad.community.lists.actions import create_domain, create_list
from postroad.community.lists.models import Domain, MailingList
from postroad.foundation.configuration import current
from postroad.foundation.errors import ConfigurationError, Conflict, NotFound
from postroad.foundation.instance import alone
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.actions import Incoming, archive
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.delivery.models import Chunk, Dispatch
from postroad.mailflow.digests.actions import collect
from postroad.mailflow.digests.models import Post
from postroad.mailflow.intake.actions import accept
from postroad.mailflow.intake.events import Transaction
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.timetable import STAGES
from postroad.upgrade import actions, preflight, schema, schema_copy, self_test, snapshot

pytestmark = pytest.mark.django_db(transaction=True)

PAST = ("queue", "0003")
KEPT = b"From: ann@example.org\r\nSubject: kept\r\nMessage-ID: <kept@example.org>\r\n\r\nkept\r\n"


@pytest.fixture
def former_release():
    """A site of the release before, with a list and a mail that waits; afterwards the schema is whole again."""
    create_domain("example.org")
    mailing_list = create_list("garden@example.org")
    call_command("migrate", *PAST, verbosity=0)
    post(mailing_list, "waiting")
    yield mailing_list
    if "queue_pause" not in connection.introspection.table_names():
        call_command("migrate", verbosity=0)
    queue.resume()
    for file in (current().home / "snapshot").glob("*"):
        file.unlink()


def post(mailing_list: MailingList, name: str) -> None:
    data = f"From: ann@example.org\r\nSubject: {name}\r\nMessage-ID: <{name}@example.org>\r\n\r\n{name}\r\n".encode()
    accept([Transaction("ann@example.org", (mailing_list.fqdn_listname,), data)])


def walk() -> None:
    """Let all mail go as far as it goes without being sent."""
    stages = {stage.queue: stage for stage in STAGES}
    while job := Job.objects.filter(queue__in=stages, state=Job.State.LIVE).order_by("id").first():
        stages[job.queue].do([decode(bytes(job.envelope))])
        job.delete()


def waiting() -> list[str]:
    return sorted(Job.objects.values_list("message_id", flat=True))


def test_the_self_test_walks_the_whole_road_and_leaves_nothing():
    self_test.run()
    assert not MailingList.objects.exists()
    assert not Job.objects.exists()
    assert not Step.objects.exists()


def test_the_self_test_says_which_stage_fails(monkeypatch):
    monkeypatch.setattr("postroad.mailflow.archive.search.index.add", lambda rows: None)
    with pytest.raises(self_test.SelfTestFailed, match="the search finds the post"):
        self_test.run()


def test_an_upgrade_migrates_and_the_mail_that_waits_is_still_there(former_release):
    report = actions.upgrade()
    assert (report.outcome, report.exit_code, report.findings) == ("done", 0, [])
    assert [step.name for step in report.steps] == [
        "preflight, on a copy", "queue-only mode", "snapshot", "migrations and self-test",
    ]  # fmt: skip
    assert schema.lacking() == []
    assert waiting() == ["waiting@example.org"]
    assert queue.paused_until() is None
    shown = json.loads(report.as_json())
    assert shown["outcome"] == "done"
    assert {"name", "seconds", "detail"} == set(shown["steps"][0])


def test_a_second_upgrade_has_nothing_to_do_but_what_one_left_that_died_before_the_restart(former_release):
    actions.upgrade()
    assert actions.upgrade().outcome == "nothing to do"
    queue.pause(1e9, "upgraded")
    report = actions.upgrade()
    assert report.findings == ["an earlier upgrade was interrupted after its last change; it is finished now"]
    assert queue.paused_until() is None


def test_a_failing_self_test_leaves_everything_as_it_was(former_release, monkeypatch):
    def fail():
        raise self_test.SelfTestFailed("the road is broken")

    monkeypatch.setattr("postroad.upgrade.migrate.self_test.run", fail)
    report = actions.upgrade()
    assert (report.outcome, report.exit_code, report.error) == ("failed", 3, "the road is broken")
    assert schema.lacking() == ["queue.0004_pause"]
    assert waiting() == ["waiting@example.org"]


def test_what_would_fail_is_found_on_a_copy_before_anything_is_touched(former_release):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE queue_pause (something int)")
    try:
        with pytest.raises(preflight.PreflightFailed, match=r"migration queue\.0004_pause failed.*queue_pause"):
            actions.upgrade()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE queue_pause")
    assert not (current().home / "run" / "preflight.db").exists()


@pytest.mark.skipif("postgresql" not in os.environ.get("POSTROAD_TEST_DATABASE", ""), reason="SQLite copies a file")
def test_the_copy_is_of_one_moment_although_the_site_goes_on(monkeypatch):
    """Else a table that is copied later has rows of mails that the earlier one does not know."""
    copied = schema_copy.copy_counters

    def write():
        create_domain("late.example")
        connection.close()

    def write_meanwhile(source, target, table):
        copied(source, target, table)
        if table == "archive_mail":
            with ThreadPoolExecutor(1) as pool:
                pool.submit(write).result()

    monkeypatch.setattr(schema_copy, "copy_counters", write_meanwhile)
    create_domain("early.example")
    with preflight._copy(), connection.cursor() as cursor:
        cursor.execute(f"SELECT mail_host FROM {preflight.SCHEMA}.lists_domain")
        assert cursor.fetchall() == [("early.example",)]
    assert Domain.objects.count() == 2


def test_a_full_disk_is_said_before_anything_is_touched(former_release, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(preflight.PreflightFailed, match="0 MB free"):
        actions.upgrade()


def test_only_one_upgrade_runs_at_a_time(former_release):
    with alone(current().home, "upgrade", "one runs"), pytest.raises(Conflict, match="another"):
        actions.upgrade()


def test_a_newer_schema_is_refused_by_name():
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('queue', '0999_future', %s)", ["2030-01-01"]
        )
    try:
        with pytest.raises(ConfigurationError, match=r"newer release.*queue\.0999_future"):
            actions.upgrade()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '0999_future'")


def test_rollback_brings_the_former_state_and_keeps_all_mail(former_release, monkeypatch):
    """Mail that came after the snapshot waits or is archived again; what was done since does not come twice.

    Without room for it nothing happens; killed at its very end and called again, it has happened once.
    """
    post(former_release, "done")
    actions.upgrade()
    Job.objects.filter(message_id="done@example.org").delete()
    post(former_release, "new")
    archive(former_release, Incoming(KEPT, "kept@example.org", time.time()))
    create_list("later@example.org")
    with monkeypatch.context() as patch:
        full = connection.Database.OperationalError("the disk is full")
        patch.setattr(snapshot.Carrying, "carry", lambda _: (_ for _ in ()).throw(full))
        failed = actions.rollback()
    assert (failed.exit_code, "nothing was changed" in failed.error) == (3, True)
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "_forget", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            actions.rollback()
    with contextlib.suppress(NotFound):
        assert actions.rollback().exit_code == 1
    assert schema.lacking() == ["queue.0004_pause"]
    assert waiting() == ["kept@example.org", "new@example.org", "waiting@example.org"]
    assert not MailingList.objects.filter(list_name="later").exists()
    assert storage.load(storage.key_of(KEPT)) == KEPT
    again = Job.objects.get(queue="archive")
    assert queue.decode(bytes(again.envelope)).message == storage.key_of(KEPT)
    post(former_release, "afterwards")
    actions.upgrade()
    assert len(waiting()) == 4


def test_rollback_keeps_what_became_of_each_mail_since(former_release):
    """A post that a moderator answered does not wait again, one that began to wait is not lost, nobody gets one again.

    No clock is asked, as it may have been set back; no key is given again, as links in mails name keys.
    """
    for name in ("asks", "answered"):
        post(former_release, name)
    walk()
    envelope = {"envelope": b"", "created_at": 1.0, "deliver_until": 2.0}
    begun = Chunk.objects.create(
        dispatch=Dispatch.objects.create(message_id="begun", **envelope), recipients=b"ann bob"
    )
    actions.upgrade()
    HeldMessage.objects.filter(message_id="answered@example.org").delete()
    Chunk.objects.filter(pk=begun.pk).update(results=b"ann")
    Chunk.objects.create(dispatch=Dispatch.objects.create(message_id="new", **envelope), recipients=b"cleo")
    post(former_release, "new")
    later = create_list("later@example.org")
    post(later, "stranded")
    walk()
    collect(Envelope(journey="j", message=storage.store(b"x"), message_id="daily", received_at=1.0,
                     list_id=former_release.list_id))  # fmt: skip
    archive(former_release, Incoming(KEPT, "kept@example.org", 1e9))
    Mail.objects.update(archived_at="2001-09-09T01:46:40Z")
    report = actions.rollback()
    held = sorted(HeldMessage.objects.values_list("message_id", flat=True))
    assert held == ["asks@example.org", "new@example.org", "waiting@example.org"]
    chunks = Chunk.objects.order_by("pk").values_list("dispatch__message_id", "results")
    assert [(name, bytes(results)) for name, results in chunks] == [("begun", b"ann"), ("new", b"")]
    assert list(Post.objects.values_list("message_id", flat=True)) == ["daily"]
    stranded = Job.objects.get(message_id="stranded@example.org")
    assert (stranded.state, stranded.queue) == (Job.State.QUARANTINED, "moderation")
    assert "later.example.org is not here" in stranded.error
    assert "2 mails are quarantined, as their lists are gone" in report.findings[0]  # It, and its notice.
    assert decode(bytes(Job.objects.get(queue="archive").envelope)).received_at == 1e9
    assert create_list("other@example.org").pk > later.pk


def test_rollback_without_a_snapshot_says_so():
    with pytest.raises(NotFound, match="no snapshot"):
        actions.rollback()


def test_a_snapshot_that_was_cut_short_is_none(former_release, monkeypatch):
    """Killed while it is written: the next call takes a new one."""
    actions.upgrade()
    monkeypatch.setattr("os.fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"), snapshot.beginning(["queue.0004_pause"]) as complete:
        complete()
    with pytest.raises(NotFound):
        snapshot.last()


def test_a_job_of_a_longer_pause_is_not_lost():
    queue.pause(60, "an upgrade")
    queue.put("moderation", Envelope(journey="j", message="0" * 64, message_id="x@example.org", received_at=1.0))
    assert queue.claim("moderation", "w", 5) == []
    queue.resume()
    assert len(queue.claim("moderation", "w", 5)) == 1


def test_what_changes_while_the_site_still_works_is_in_the_snapshot_and_what_comes_after_is_not():
    create_domain("example.org")
    for name in ("gone", "other", "same"):
        create_list(f"{name}@example.org")
    with snapshot.beginning(["lists.0009_next"]) as complete:
        MailingList.objects.filter(list_name="gone").delete()
        MailingList.objects.filter(list_name="other").update(archive_policy="private")
        create_list("new@example.org")
        complete()
    create_list("after@example.org")
    snapshot.go_back()
    assert dict(MailingList.objects.values_list("list_name", "archive_policy")) == {
        "new": "public", "other": "private", "same": "public",
    }  # fmt: skip
    create_list("afterwards@example.org")


@pytest.mark.sqlite_only
def test_what_is_written_while_the_file_is_copied_is_in_the_snapshot():
    """Whole, whatever checkpoints do meanwhile; and what comes after is not in it."""

    def write(number: int) -> None:
        storage.store_many(f"{number} {n} ".encode() * 300 for n in range(200))

    write(1)
    with snapshot.beginning(["storage.0009_next"]) as complete, connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=10")  # The checkpoint goes as far as the reader that stands by lets it.
        for number in (2, 3, 4):
            write(number)
            cursor.execute("PRAGMA wal_checkpoint(RESTART)")
        cursor.execute("PRAGMA busy_timeout=30000")
        complete()
    write(5)
    with contextlib.closing(sqlite3.connect(current().home / "snapshot" / "postroad.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM storage_blob").fetchone() == (800,)
