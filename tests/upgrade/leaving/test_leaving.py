"""A backup is whole or nothing, as of one moment, and becomes the same site on either engine; an export is readable."""

import hashlib
import json
import os
import pickle
import shutil
import threading
import zipfile
from pathlib import Path

import pytest
from django.db import connection

from postroad.community.lists import actions as lists
from postroad.community.lists.models import MailingList
from postroad.foundation.errors import BadInput, Conflict
from postroad.upgrade.leaving import backup as backups
from postroad.upgrade.leaving import restore as restores
from postroad.upgrade.leaving.backup import LEFT_OUT, one_moment, tables
from postroad.upgrade.leaving.cells import without_nul
from postroad.upgrade.mbox.mailboxes import mails
from tests import databases, programs
from tests import tables as ready_made

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
MAIL = (
    "From a@x.example  Mon Mar  1 10:00:00 2004\nFrom: a@x.example\nSubject: Ants {n}\n"
    "Date: Mon, 1 Mar 2004 10:00:00 +0000\nMessage-ID: <{n}@x.example>\n\n>From the start\n>>From a quotation\n\xe4\n\n"
)


class Home:
    """A site that is not served, on an engine of its own."""

    def __init__(self, folder: Path, url: str = "sqlite:///postroad.db", *, more: str = "") -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "postroad.toml").write_text(f'[database]\nurl = "{url}"\n{more}')

    def run(self, *words: object, code: int = 0) -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("POSTROAD_")}
        environment["POSTROAD_HOME"] = str(self.folder)
        done = programs.run(["postroad", *words], environment=environment)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def other_engine():
    """The URL of an empty PostgreSQL database; skipped where there is none."""
    if not databases.SERVER:
        pytest.skip("no PostgreSQL server was named")
    with databases.database(f"leaving_{os.getpid()}") as url:
        yield url


@pytest.fixture(scope="module")
def ant(tmp_path_factory) -> Home:
    """A site on SQLite that no test changes: a list, members, an archive, contents in files, and a list that is gone.

    Its backup is `1.zip` beside it, its mailbox `ant.mbox`.
    """
    folder = tmp_path_factory.mktemp("ant")
    home = Home(folder / "home", more='[storage]\nkind = "files"\n')
    (folder / "ant.mbox").write_text("".join(MAIL.format(n=n) for n in range(30)), encoding="latin-1")
    small = folder / "var" / "lists" / "ant"
    small.mkdir(parents=True)
    data = {"host_name": b"example.com", "owner": [b"o@x.example"], "members": {b"m@x.example": 0, b"n@x.example": 0},
            "description": "Grüße", "ban_list": [b"^.*@spam"], "mod_password": b"0" * 40}  # fmt: skip
    (small / "config.pck").write_bytes(pickle.dumps({k.encode(): v for k, v in data.items()}, 1))
    shutil.copy(ready_made.file(), home.folder)
    home.run("import", "mailman2", small.parent.parent, code=0)
    home.run("import", "mbox", "ant@example.com", folder / "ant.mbox")
    home.run("list", "add", "gone@example.com")
    home.run("list", "remove", "gone@example.com", "--yes")
    home.run("backup", folder / "1.zip")
    return home


@pytest.fixture(scope="module")
def zip_file(ant) -> Path:
    return ant.folder.parent / "1.zip"


def told(file: Path) -> dict[str, tuple[str, int]]:
    """Checksum and rows of every table of a backup."""
    manifest = json.loads(zipfile.ZipFile(file).read("manifest.json"))
    return {m["name"]: (m["sha256"], m["rows"]) for m in manifest["members"] if m["name"].startswith("tables/")}


def counters(file: Path) -> dict[str, int]:
    """The number each table gave last."""
    return json.loads(zipfile.ZipFile(file).read("manifest.json"))["counters"]


def test_a_site_goes_to_the_other_engine_and_back_and_is_the_same(tmp_path, other_engine, ant, zip_file):
    moved = Home(tmp_path / "postgres", other_engine)
    assert "30 mails can be searched for" in moved.run("restore", zip_file)
    moved.run("backup", tmp_path / "2.zip")
    back = Home(tmp_path / "again")
    back.run("restore", tmp_path / "2.zip")
    back.run("backup", tmp_path / "3.zip")
    assert told(zip_file) == told(tmp_path / "2.zip") == told(tmp_path / "3.zip")
    assert (ant.folder / "secret.key").read_text() == (tmp_path / "again/secret.key").read_text()
    moved.run("list", "add", "bee@example.com")
    moved.run("import", "mbox", "bee@example.com", zip_file.with_name("ant.mbox"))


def test_a_site_comes_back_with_contents_in_files_and_gives_no_key_again(tmp_path, ant, zip_file):
    assert any((ant.folder / "blobs").iterdir())
    assert counters(zip_file)["lists_list"] == 2
    plain = Home(tmp_path / "two")
    plain.run("restore", zip_file)
    plain.run("backup", tmp_path / "2.zip")
    assert told(zip_file) == told(tmp_path / "2.zip")
    assert counters(zip_file) == counters(tmp_path / "2.zip")
    again = Home(tmp_path / "three", more='[storage]\nkind = "files"\n')
    again.run("restore", tmp_path / "2.zip")
    again.run("backup", tmp_path / "3.zip")
    assert told(tmp_path / "3.zip") == told(zip_file)


def test_nul_in_texts_and_settings_of_sqlite_becomes_a_character_that_postgresql_keeps():
    row = {"text": "a\0b \\u0000 \\\0", "settings": {"deep": ["\0"]}}
    line = json.dumps(row).encode()
    kept = {"text": "a\ufffdb \\u0000 \\\ufffd", "settings": {"deep": ["\ufffd"]}}
    assert json.loads(without_nul(line)) == kept


def test_a_row_that_the_other_engine_cannot_hold_is_named(tmp_path, other_engine, zip_file):
    with zipfile.ZipFile(zip_file) as old, zipfile.ZipFile(tmp_path / "2.zip", "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        for member in manifest["members"]:
            data = old.read(member["name"])
            if member["name"] == "tables/lists_list.jsonl":
                data = data.replace(b'"list_name":"ant"', b'"list_name":"%s"' % (b"a" * 300))
                member["sha256"] = hashlib.sha256(data).hexdigest()
            new.writestr(member["name"], data)
        new.writestr("manifest.json", json.dumps(manifest))
    told = Home(tmp_path / "home", other_engine).run("restore", tmp_path / "2.zip", code=2)
    assert "rows 1 to 1 of lists_list: value too long" in told


@pytest.mark.skipif(not databases.SERVER, reason="needs PostgreSQL")
def test_a_database_that_cannot_hold_every_text_is_refused_before_anything_is_made(tmp_path, zip_file):
    with databases.database(f"latin_{os.getpid()}", encoding="LATIN1") as url:
        told = Home(tmp_path / "home", url).run("restore", zip_file, code=2)
    assert "has the encoding LATIN1" in told
    assert "ENCODING 'UTF8'" in told


def test_a_home_with_a_site_in_it_is_not_overwritten(ant, zip_file):
    assert "there is a site in" in ant.run("restore", zip_file, code=2)
    assert "ant@example.com" in ant.run("list", "show")


def test_a_damaged_backup_is_named_and_nothing_is_restored(tmp_path, zip_file):
    whole = zip_file.read_bytes()
    for at in range(200, len(whole), len(whole) // 40):
        file = tmp_path / "changed"
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            manifest = restores.check(file)
        except BadInput:
            continue
        # What a ZIP archive says twice may be wrong once; then everything in it is still what it was.
        assert manifest == restores.check(zip_file)
    for data in (whole[: len(whole) // 2], b"", b"not a backup at all"):
        (tmp_path / "broken").write_bytes(data)
        with pytest.raises(BadInput, match="is no backup, or is damaged"):
            restores.check(tmp_path / "broken")
    new = Home(tmp_path / "two")
    assert "damaged" in new.run("restore", tmp_path / "broken", code=2)
    new.run("restore", zip_file)


def test_a_backup_is_its_owner_s_alone_and_never_replaces_another(tmp_path):
    file = tmp_path / "1.zip"
    backups.backup(file)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict, match="exists already"):
        backups.backup(file)
    backups.backup(file, replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["1.zip"]


def test_a_backup_that_is_stopped_leaves_the_former_one(tmp_path):
    file = tmp_path / "1.zip"
    backups.backup(file)
    before = file.read_bytes()
    lists.create_domain("example.com")

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backups.backup(file, stop, replace=True)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["1.zip"]


def test_what_is_written_meanwhile_is_not_in_a_backup_and_does_not_wait():
    lists.create_domain("example.com")

    def write() -> None:
        lists.create_list("late@example.com")
        connection.close()

    with one_moment():
        before = MailingList.objects.count()
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(20)
        assert not writer.is_alive()
        assert MailingList.objects.count() == before
    assert MailingList.objects.count() == before + 1


def test_every_table_is_kept_or_named():
    kept = {model._meta.db_table for model in tables()} | set(LEFT_OUT) | {"django_migrations"}
    indexes = ("archive_search", "people_trigrams")
    there = {name for name in connection.introspection.table_names() if not name.startswith(indexes)}
    assert there == kept


def test_a_backup_of_a_newer_release_is_refused(tmp_path, zip_file):
    with zipfile.ZipFile(zip_file) as old, zipfile.ZipFile(tmp_path / "2.zip", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "manifest.json":
                manifest = json.loads(data)
                manifest["migrations"].append(["lists", "9999_of_the_future"])
                data = json.dumps(manifest).encode()
            new.writestr(name, data)
    assert "of a newer release" in Home(tmp_path / "two").run("restore", tmp_path / "2.zip", code=2)


def test_an_export_can_be_read_by_others_and_holds_no_secrets(tmp_path, ant):
    assert "1 lists, 30 mails" in ant.run("export", tmp_path / "out")
    folder = tmp_path / "out" / "ant.example.com"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    about = json.loads((folder / "list.json").read_text())
    assert about["settings"]["description"] == "Grüße"
    assert about["bans"] == ["^.*@spam"]
    members = [json.loads(line) for line in (folder / "members.jsonl").read_text().splitlines()]
    assert {(m["role"], m["address"]) for m in members} == {
        ("owner", "o@x.example"), ("member", "m@x.example"), ("member", "n@x.example")
    }  # fmt: skip
    assert "0" * 40 not in "".join(path.read_text("latin-1") for path in folder.iterdir())
    raws = [piece.raw for piece in mails(folder / "archive.mbox", "mboxrd")]
    assert len(raws) == 30
    assert raws[0].decode("latin-1").endswith("\n\nFrom the start\n>>From a quotation\n\xe4\n")
    assert "is not empty" in ant.run("export", tmp_path / "out", code=2)
