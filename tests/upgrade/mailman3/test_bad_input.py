"""Old installations that are damaged, odd or hostile: a clear word with the object's name, and the rest comes in."""

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from upgrade.mailman3.old_site import SERVER, drop, lay_out

from postroad.community.bans.models import Ban
from postroad.community.lists.models import MailingList
from postroad.community.people.models import Address
from postroad.community.subscriptions.models import Member
from postroad.foundation.errors import BadInput
from postroad.mailflow.archive.models import Mail, Thread
from postroad.upgrade.importing.plan import ImportStopped
from postroad.upgrade.mailman3.databases import OldDatabase, place_of
from postroad.upgrade.mailman3.installation import open_installation
from tests import programs, tables

POSTROAD = str(Path(sys.executable).with_name("postroad"))
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def core_file(site) -> Path:
    return Path(site.core.removeprefix("sqlite:///"))


def why(report, kind: str) -> list[str]:
    return [note[3] for note in report.notes if note[0] == kind and note[2] == "impossible"]


def test_a_database_that_was_cut_short_is_told_before_anything_is_done(old_site):
    data = core_file(old_site).read_bytes()
    core_file(old_site).write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match=r"mailman.db: cut short: .* copy it again"):
        old_site.bring_in()
    assert not MailingList.objects.exists()


def test_settings_of_the_web_half_are_found_beside_the_core_s_or_asked_for(old_site):
    """Else the archive would stay behind without a word."""
    with pytest.raises(BadInput, match=r"no settings of the web half.*--web none.*core/etc/mailman-web.py, /etc/mail"):
        open_installation(old_site.named(settings="", web=""))
    shutil.copy(old_site.root / "web/settings.py", old_site.root / "core/etc/mailman-web.py")
    found = open_installation(old_site.named(settings=""))
    assert found.settings.file.name == "mailman-web.py"
    for database in (found.core, found.web):
        database.close()


def test_folders_that_are_not_here_are_asked_for_before_mail_in_them_is_forgotten(old_site):
    with pytest.raises(BadInput, match=r"/opt/mailman/mm/var/queue: Mailman's folder of queues is not here.*--moved"):
        old_site.bring_in(moved={})
    assert not MailingList.objects.exists()


def test_a_database_damaged_in_the_middle_names_the_table_and_what_was_written_stays(old_site):
    with old_site.connect() as core:
        page = core.execute("SELECT rootpage FROM sqlite_master WHERE name = 'member'").fetchone()[0]
        size = core.execute("PRAGMA page_size").fetchone()[0]
    whole = core_file(old_site).read_bytes()
    with core_file(old_site).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(ImportStopped, match=r"table member of .*mailman.db cannot be read: .*malformed"):
        old_site.bring_in(web="none")
    assert MailingList.objects.count() == 9
    core_file(old_site).write_bytes(whole)
    report = old_site.bring_in(web="none")
    assert Member.objects.count() == 340
    assert next(k for k in report.kinds if k.kind == "lists").unchanged == 9


@pytest.mark.parametrize("data", [b"", b"not a database", b"SQLite format 3\0" + bytes(200)])
def test_what_is_no_database_is_told(old_site, data):
    core_file(old_site).write_bytes(data)
    with pytest.raises(BadInput, match=r"mailman.db"):
        open_installation(old_site.named())


@pytest.mark.sqlite_only
def test_a_full_disk_stops_the_command_with_the_step_s_name_and_a_second_call_goes_on(old_site, tmp_path):
    """The command itself, which may write no file larger than 2.6 MB, as on a disk with no more room."""
    home = tmp_path / "home"
    command = [POSTROAD, "import", "mailman3", "--home", str(home), *old_site.options()]
    environment = {**os.environ, "POSTROAD_DATABASE_URL": "sqlite:///postroad.db"}
    home.mkdir()
    (home / "postroad.toml").write_text("")
    shutil.copy(tables.file(), home)
    small = f"import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2_600_000, -1)); os.execv(*{(POSTROAD, command)!r})"
    stopped = subprocess.run(
        [sys.executable, "-c", small], env=environment, capture_output=True, text=True, check=False
    )
    assert stopped.returncode not in (0, 1)
    assert re.search(r"\w+ of Mailman 3 at .*mailman.db: .*call the same command again", stopped.stderr)
    done = programs.run(command, environment=environment)
    assert done.returncode == 1, done.stderr
    assert re.search(r"archived mails +692 ", done.stdout)


@pytest.mark.skipif(not SERVER, reason="no PostgreSQL server was named")
def test_a_connection_that_is_cut_names_the_table_and_a_second_run_goes_on(tmp_path):
    site = lay_out("I335", tmp_path)
    try:
        database = OldDatabase(place_of(site.core))
        rows = database.rows("member", ("id",))
        next(rows)
        database._connection.pgconn.finish()  # As when the server or the way to it is gone.
        with pytest.raises(ImportStopped, match=r"table address of postgresql://.* cannot be read: .*call the same"):
            database.count("address")
    finally:
        drop(site)


def test_another_database_is_told(old_site):
    with pytest.raises(BadInput, match="not Mailman's core database: it has no table mailinglist"):
        open_installation(old_site.named(core=old_site.web))


def test_columns_and_tables_of_newer_releases_may_be_missing(old_site):
    with old_site.connect() as core:
        core.execute("DROP INDEX IF EXISTS ix_member_bounce_score")
        for table, column in (
            ("mailinglist", "dmarc_addresses"), ("mailinglist", "archive_rendering_mode"),
            ("mailinglist", "usenet_watermark"), ("domain", "base_url"), ("headermatch", "tag"),
        ):  # fmt: skip
            core.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        for table in ("bounceevent", "autoresponserecord", "workflowstate"):
            core.execute(f"DROP TABLE {table}")
    report = old_site.bring_in(web="none")
    assert MailingList.objects.count() == 9
    assert not why(report, "lists")


def test_two_addresses_that_differ_by_case_become_one(old_site):
    with old_site.connect() as core:
        core.execute("DROP INDEX IF EXISTS ix_address_email")
        core.execute(
            "INSERT INTO address (email, display_name, registered_on) VALUES ('Bart@Example.COM', 'B', '2020-01-01 00:00:00')"
        )
        twin = core.execute("SELECT max(id) FROM address").fetchone()[0]
        core.execute(
            "INSERT INTO member (_member_id, role, list_id, address_id) VALUES (?, 1, 'empty.x', ?)", ("f" * 32, twin)
        )
        core.execute(
            "INSERT INTO member (_member_id, role, list_id, address_id) VALUES (?, 2, 'ja-talk.lists.example.com', ?)",
            ("e" * 32, twin),
        )
    report = old_site.bring_in(web="none")
    assert Address.objects.filter(email="bart@example.com").count() == 1
    assert Member.objects.get(uuid="e" * 32).address.email == "bart@example.com"
    assert any(n[0] == "addresses" and "is another spelling of an address" in n[3] for n in report.notes)
    assert "the list is gone, in Mailman too" in why(report, "members")
    assert old_site.bring_in(web="none").kinds[2].new == 0


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def test_pickles_that_want_to_run_code_are_refused_and_named(old_site, tmp_path):
    mark = tmp_path / "ran"
    with old_site.connect() as core:
        core.execute(
            "UPDATE mailinglist SET accept_these_nonmembers = ? WHERE list_name = 'dev'", (pickle.dumps(Hostile(mark)),)
        )
    queue = old_site.root / "queue" / "in" / "1795357402.1+aaaa.pck"
    queue.write_bytes(pickle.dumps(Hostile(mark)) + pickle.dumps({"listid": "dev.example.org"}))
    report = old_site.bring_in(web="none")
    assert not mark.exists()
    assert len(why(report, "lists")) == 1
    assert any("aaaa.pck" in name for kind, name, *_ in report.notes if kind == "queued mail")
    assert MailingList.objects.count() == 9


def test_values_no_release_writes_cost_only_themselves(old_site):
    with old_site.connect() as core:
        core.execute("UPDATE mailinglist SET archive_policy = 9, digest_volume_frequency = -1 WHERE list_name = 'dev'")
        core.execute("UPDATE member SET role = 77 WHERE id = 5")
        core.execute("INSERT INTO ban (email, list_id) VALUES ('^((a+)+)+$', NULL)")
        core.execute("UPDATE user SET _user_id = 'nonsense' WHERE id = 9")
    report = old_site.bring_in(web="none")
    assert why(report, "lists") == ["9 is no ArchivePolicy of Mailman", "-1 is no DigestFrequency of Mailman"]
    assert why(report, "members")[0] == "77 is no MemberRole of Mailman"
    assert why(report, "users") == ["not a UUID: nonsense"]
    assert Ban.objects.filter(email="^((a+)+)+$").exists()


def test_a_chain_of_replies_of_any_depth_comes_in_whole(old_site):
    depth = 1500  # More than Python calls itself.
    with old_site.connect("web") as web:
        for table in ("attachment", "vote", "tagging", "favorite", "lastview", "email", "thread"):
            web.execute(f"DELETE FROM hyperkitty_{table}")
        web.execute(
            "INSERT INTO hyperkitty_thread (id, mailinglist_id, thread_id, date_active) VALUES (1, 1, ?, '2020-01-01 00:00:00')",
            ("T" * 32,),
        )
        web.executemany(
            "INSERT INTO hyperkitty_email (id, mailinglist_id, message_id, message_id_hash, sender_id, sender_name, subject,"
            " content, date, timezone, in_reply_to, parent_id, thread_id, archived_date, thread_depth)"
            " VALUES (?, 1, ?, ?, 'anne@example.com', 'A', 'Re: x', 'x', '2020-01-01 00:00:00', 0, NULL, ?, 1,"
            " '2020-01-01 00:00:00', 0)",
            # Each answers the one behind it, so that every parent comes later.
            [(n, f"{n}@x", f"{n:032d}", n + 1 if n < depth else None) for n in range(1, depth + 1)],
        )  # fmt: skip
    shutil.rmtree(old_site.root / "archives")
    old_site.bring_in()
    assert Thread.objects.get().count == depth
    parents = dict(Mail.objects.values_list("message_id_hash", "parent__message_id_hash"))
    assert parents == {f"{n:032d}": f"{n + 1:032d}" if n < depth else None for n in range(1, depth + 1)}


def test_a_ring_of_replies_ends(small_site):
    with small_site.connect("web") as web:
        one, two = (row[0] for row in web.execute(
            "SELECT id FROM hyperkitty_email WHERE thread_id = (SELECT thread_id FROM hyperkitty_email"
            " GROUP BY thread_id HAVING count(*) > 1 LIMIT 1) ORDER BY id LIMIT 2"))  # fmt: skip
        web.execute("UPDATE hyperkitty_email SET parent_id = ? WHERE id = ?", (two, one))
        web.execute("UPDATE hyperkitty_email SET parent_id = ? WHERE id = ?", (one, two))
    report = small_site.bring_in()
    assert any("its parent is its own reply" in note[3] for note in report.notes)
    parents = dict(Mail.objects.values_list("pk", "parent"))
    for start in parents:
        mail, seen = start, set()
        while mail is not None:
            assert mail not in seen
            seen.add(mail)
            mail = parents[mail]


def test_missing_attachments_and_messages_are_named(small_site):
    shutil.rmtree(small_site.root / "attachments")
    shutil.rmtree(small_site.root / "messages")
    report = small_site.bring_in()
    assert any("its file is gone" in reason for reason in why(report, "archived mails"))
    assert any("gone from Mailman's own store" in reason for reason in why(report, "held posts"))


@pytest.mark.parametrize("url", ["oracle://x/y", "mailman.db", "mysql://", "postgresql://127.0.0.1:1/x"])
def test_a_place_that_cannot_be_read_is_told(url):
    with pytest.raises(BadInput):
        OldDatabase(place_of(url))
