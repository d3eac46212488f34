"""Again, and again: a shadow and the cut-over, a kill at any moment, a plan."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from django.utils.timezone import now

from postroad.community.bans.models import Ban
from postroad.community.lists.actions import change_settings
from postroad.community.lists.models import HeaderMatch, MailingList
from postroad.community.notices.models import OwnText
from postroad.community.people.models import Address, User
from postroad.community.subscriptions.models import Member
from postroad.foundation.queue.models import Job
from postroad.mailflow.archive.models import Mail, Thread, Vote
from postroad.mailflow.moderation import moving_in as moderation
from postroad.mailflow.moderation.models import HeldMessage
from postroad.upgrade.importing.models import ImportedObject
from postroad.upgrade.importing.plan import ImportStopped
from tests import programs, tables

pytestmark = pytest.mark.timeout(600)
BACK = uuid.UUID(int=77)
POSTROAD = str(Path(sys.executable).with_name("postroad"))


@pytest.mark.django_db(transaction=True)
def test_a_shadow_is_followed_by_what_changed_until_the_cut_over(old_site):
    report = old_site.bring_in(cut_over=False)
    assert ("queued mail", 0) in [(k.kind, k.here) for k in report.kinds]
    assert any("--cut-over" in why for *_, why in report.notes)
    assert not Job.objects.filter(queue__in=("digests", "archive", "moderation", "mail_commands")).exists()
    users = MailingList.objects.get(list_name="users")
    change_settings(users, {"description": "Set here"})
    waits_here = hold_a_post("dev.example.org")
    with old_site.connect() as core:
        core.execute("UPDATE mailinglist SET post_id = 4711, last_post_at = '2026-01-02' WHERE list_name = 'users'")
        gone = core.execute("SELECT _member_id FROM member WHERE role = 1 ORDER BY id LIMIT 1").fetchone()[0]
        core.execute("DELETE FROM member WHERE _member_id = ?", (gone,))
        core.execute("UPDATE mailinglist SET description = 'Changed', max_message_size = 77 WHERE list_name = 'dev'")
        core.execute("DELETE FROM ban WHERE email = 'troll@bad.example'")
        core.execute("DELETE FROM headermatch")
        core.execute("DELETE FROM template")
        core.execute("UPDATE address SET display_name = 'New Name' WHERE email = 'bart@example.com'")
        core.execute("DELETE FROM _request WHERE id = ?", (HeldMessage.objects.first().request_id,))
        waits_there = hold_under_the_same_number(core, waits_here)
        # Some left and came back, which gives them another number.
        back = core.execute("SELECT id FROM member WHERE role = 1 ORDER BY id LIMIT 1").fetchone()[0]
        core.execute("UPDATE member SET id = 99999, _member_id = ? WHERE id = ?", (BACK.hex, back))
        core.execute("UPDATE ban SET id = 99999 WHERE email = 'weird+ban@example.net'")
    with old_site.connect("web") as web:
        mail = web.execute("SELECT * FROM hyperkitty_email WHERE parent_id IS NOT NULL ORDER BY id DESC").fetchone()
        names = [row[1] for row in web.execute("PRAGMA table_info(hyperkitty_email)")]
        new = {**dict(zip(names, mail, strict=True)), "id": 99_999, "message_id": "n@x", "message_id_hash": "N" * 32}
        web.execute(f"INSERT INTO hyperkitty_email ({', '.join(new)}) VALUES ({', '.join('?' * len(new))})",
                    tuple(new.values()))  # fmt: skip
        erased = web.execute("SELECT id, message_id_hash, mailinglist_id FROM hyperkitty_email LIMIT 1").fetchone()
        web.execute("DELETE FROM hyperkitty_email WHERE id = ?", (erased[0],))
        web.execute("UPDATE hyperkitty_vote SET id = 99999 WHERE id = (SELECT max(id) FROM hyperkitty_vote)")
        web.execute("UPDATE auth_user SET password = 'pbkdf2_sha256$1$s$new' WHERE username = 'bart'")
    held, mails, votes = HeldMessage.objects.count(), Mail.objects.count(), Vote.objects.count()
    bans = Ban.objects.count()
    report = old_site.bring_in()
    changed = {k.kind: (k.new, k.changed, k.removed) for k in report.kinds if k.new or k.changed or k.removed}
    assert changed["members"] == (1, 0, 2)
    assert not HeaderMatch.objects.exists()
    assert not OwnText.objects.filter(language="").exists()
    assert changed["votes"][0] == 1
    assert Member.objects.filter(uuid=BACK).exists()
    assert Vote.objects.count() == votes
    assert Ban.objects.count() == bans - 1
    assert changed["lists"] == (0, 1, 0)
    assert changed["archived mails"] == (1, 0, 1)
    assert "queued mail" in changed
    dev = MailingList.objects.get(list_id="dev.example.org")
    assert dev.settings["description"] == "Changed"
    users.refresh_from_db()  # There, posts went on; nobody changed a setting.
    assert (users.settings["description"], users.post_id) == ("Set here", 4711)
    assert dev.settings["max_message_size"] == 77
    assert not Member.objects.filter(uuid=gone).exists()
    assert not Ban.objects.filter(email="troll@bad.example").exists()
    assert Address.objects.get(email="bart@example.com").display_name == "New Name"
    assert User.objects.get(addresses__email="bart@example.com").password == "pbkdf2_sha256$1$s$new"
    assert HeldMessage.objects.count() == held
    both = HeldMessage.objects.filter(message_id__in=(waits_here.message_id, waits_there.strip("<>")))
    numbers = dict(both.filter(mailing_list=dev).values_list("message_id", "request_id"))
    assert numbers == {waits_here.message_id: 10_000, waits_there.strip("<>"): 10_001}
    assert any("waits as number 10001" in why for *_, why in report.notes)
    assert Mail.objects.count() == mails
    thread = Mail.objects.get(message_id_hash="N" * 32).thread
    assert thread.count == thread.mails.count()
    assert not Mail.objects.filter(message_id_hash=erased[1], mailing_list__list_id=_list(old_site, erased[2])).exists()
    assert all(t.count == t.mails.count() for t in Thread.objects.all())
    with old_site.connect("web") as web:  # A database that was restored by halves empties nothing.
        web.execute("DELETE FROM hyperkitty_email WHERE id % 2")
    with pytest.raises(ImportStopped, match="threads that came from it"):
        old_site.bring_in()
    assert Mail.objects.count() == mails
    assert Job.objects.filter(queue="digests").exists()


def hold_a_post(list_id: str) -> HeldMessage:
    """A post that came here while the old system lived."""
    mailing_list = MailingList.objects.get(list_id=list_id)
    MailingList.objects.filter(pk=mailing_list.pk).update(next_request_id=10_000)
    record = moderation.HeldRecord(
        10_000, b"Subject: here\r\n\r\n", "here@x.example", "a@x.example", "here", (), now(), now()
    )
    return moderation.bring_held(mailing_list, record)


def hold_under_the_same_number(core: sqlite3.Connection, here: HeldMessage) -> str:
    """The old system counts by itself; the Message-ID of the post it holds."""
    columns = "request_type, data_hash, mailing_list_id"
    key = core.execute("SELECT key FROM _request JOIN mailinglist m ON m.id = mailing_list_id WHERE list_id = ?",
                       (here.mailing_list.list_id,)).fetchone()[0]  # fmt: skip
    core.execute(f"INSERT INTO _request (id, key, {columns}) SELECT ?, key, {columns} FROM _request WHERE key = ?"
                 " LIMIT 1", (here.request_id, key))  # fmt: skip
    return key


def _list(site, number: int) -> str:
    with site.connect("web") as web:
        return web.execute("SELECT list_id FROM hyperkitty_mailinglist WHERE id = ?", (number,)).fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_a_plan_tells_what_the_import_then_does(small_site):
    plan = small_site.bring_in(dry_run=True)
    assert not MailingList.objects.exists()
    assert not ImportedObject.objects.exists()
    done = small_site.bring_in()
    assert [(k.kind, k.new, k.refused) for k in plan.kinds] == [(k.kind, k.new, k.refused) for k in done.kinds]
    assert list(plan.notes) == list(done.notes)


@pytest.mark.sqlite_only
def test_killed_at_any_moment_the_next_run_goes_on_and_nothing_is_twice(old_site, tmp_path):
    """The command itself, killed without a word in the middle of its work, until it has come to its end."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(tables.file(), home)
    environment = {**os.environ, "POSTROAD_DATABASE_URL": "sqlite:///postroad.db"}
    command = [POSTROAD, "import", "mailman3", "--home", str(home), "--cut-over", *old_site.options()]
    grown = []
    for share in (0.3, 0.6, 0.9):
        running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        total = 2500 * share
        while running.poll() is None and imported(home) < total:
            time.sleep(0.02)  # Watching a file of another process; there is no event to wait for.
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()
        grown.append(imported(home))
    assert grown == sorted(grown)
    assert grown[0] < grown[-1]
    done = programs.run(command, environment=environment)
    assert done.returncode == 1, done.stderr
    check = [POSTROAD, "verify", "mailman3", "--home", str(home), *old_site.options()]
    told = programs.run(check, environment=environment)
    assert told.returncode == 0, told.stdout
    with sqlite3.connect(home / "postroad.db") as database:
        counted = "SELECT count(*) FROM archive_thread t WHERE count <> (SELECT count(*) FROM archive_mail WHERE thread_id = t.id)"
        assert database.execute(counted).fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM archive_mail").fetchone() == (692,)
        assert database.execute("SELECT count(*) FROM bounces_event").fetchone() == (335,)


def imported(home: Path) -> int:
    """How many objects are committed so far."""
    try:
        with sqlite3.connect(f"file:{home / 'postroad.db'}?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM importing_object").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
