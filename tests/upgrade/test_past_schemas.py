"""Every past schema that is kept here moves to this release, whenever the move is killed.

POSTROAD_UPGRADE_KILLS=100 kills that often in place of a few times.
"""

import contextlib
import gzip
import os
import random
import re
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from postroad.mailflow.archive.search.analyser import VERSION
from tests import databases, programs, shapes, tables
from tests.databases import SERVER

pytestmark = pytest.mark.timeout(600 + 60 * int(os.environ.get("POSTROAD_UPGRADE_KILLS", "2")))
PAST = Path(__file__).parent / "past"
NAMES = sorted(path.name.partition(".")[0] for path in PAST.glob("*.db.gz"))
KILLS = int(os.environ.get("POSTROAD_UPGRADE_KILLS", "2"))
LENGTHS: dict[str, float] = {}
"""How many seconds an upgrade took from the past schemas that were tried already."""


class Past:
    """A home with the database of a past schema; what it holds is asked without our program."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        self.database = f"past_{os.getpid()}"
        self.templates: dict[str, str] = {}
        """Databases on the server that are as a past release left them, by its name; to be copied."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("POSTROAD_", "DJANGO_"))}
        url = databases.url_of(self.database)
        self.environment = {**environment, "POSTROAD_HOME": str(home), "POSTROAD_DATABASE_URL": url}
        (home / "postroad.toml").write_text('[smtp]\nhost = ""\n[rest]\npassword = "x"\n')

    def fill(self, name: str) -> None:
        if SERVER:
            databases.create(self.database, self.templates.get(name) or self._restored(name))
        else:
            for old in self.home.glob("postroad.db*"):
                old.unlink()
            (self.home / "postroad.db").write_bytes(gzip.decompress((PAST / f"{name}.db.gz").read_bytes()))

    def _restored(self, name: str) -> str:
        made = self.templates[name] = f"{self.database}_{len(self.templates)}"
        databases.create(made)
        dump = gzip.decompress((PAST / f"{name}.sql.gz").read_bytes())
        subprocess.run(["psql", "-qX", f"{SERVER}/{made}"], input=dump, check=True, capture_output=True)
        return made

    def close(self) -> None:
        for name in (self.database, *self.templates.values()):
            databases.drop(name)

    def rows(self, statement: str) -> list[tuple]:
        if SERVER:
            import psycopg

            with psycopg.connect(f"{SERVER}/{self.database}") as connection:
                return connection.execute(statement).fetchall()
        with contextlib.closing(sqlite3.connect(self.home / "postroad.db")) as connection:
            return connection.execute(statement).fetchall()

    def run(self, *arguments: str, killed_after: float | None = None) -> subprocess.CompletedProcess[str]:
        return programs.run(
            ["postroad", *arguments], environment=self.environment, timeout=300, killed_after=killed_after
        )

    def check(self) -> None:
        """Everything that was there is there, the mail that waited waits, and the search finds."""
        assert self.rows("SELECT COUNT(*) FROM archive_mail") == [(40,)]
        assert self.rows("SELECT message_id FROM queue_job") == [("waiting@example.org",)]
        assert self.rows(
            "SELECT email FROM subscriptions_member WHERE role = 'member' ORDER BY mailing_list_id, email"
        ) == [(f"{name}@example.org",) for name in ("ann", "bob", "cleo", "cleo")]
        assert self.rows("SELECT COUNT(*) FROM storage_blob") == [(41,)]
        assert self.rows("SELECT version, building FROM archive_index_state") == [(VERSION, None)]
        assert self.rows(f"SELECT COUNT(*) FROM archive_search WHERE {self._words('zinnia17')}") == [(1,)]
        assert self.rows("SELECT COUNT(*) FROM queue_pause") == [(0,)]
        left = [path.name for path in (self.home / "run").iterdir() if path.name.startswith("preflight")]
        assert not left, "the copy of the rehearsal was left behind"

    def shape(self) -> set[str]:
        return shapes.on_server(self.database) if SERVER else shapes.in_file(self.home / "postroad.db")

    def _words(self, word: str) -> str:
        return f"words @@ '{word}'::tsquery" if SERVER else f"archive_search MATCH '{word}'"


@pytest.fixture
def past(tmp_path):
    site = Past(tmp_path / "home")
    yield site
    site.close()


def test_every_command_of_the_guide_works_in_its_order_from_where_serve_sends_to_it(past):
    guide = (Path(__file__).parents[2] / "docs/guides/upgrading.md").read_text()
    commands = [
        line.split() for block in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL) for line in block.splitlines()
    ]
    inline = [text.split() for text in re.findall(r"`(postroad (?:rollback|upgrade --check))`", guide)]
    assert [" ".join(words) for words in (*commands, *inline)] == [
        "postroad upgrade", "postroad rollback", "postroad upgrade --check",
    ]  # fmt: skip
    past.fill(NAMES[0])  # The way back to the oldest is the longest.
    if os.geteuid() == 0:
        os.chown(past.home, 65_534, 65_534)  # As when somebody calls it by sudo in the home of the service's user.
    before = past.rows("SELECT COUNT(*) FROM django_migrations")
    refused = past.run("serve")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "postroad upgrade" in refused.stderr
    upgraded, went_back, checked = (past.run(*words[1:]) for words in (*commands, *inline))
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert went_back.returncode == 1  # It says what to do next.
    assert (checked.returncode, past.rows("SELECT COUNT(*) FROM django_migrations")) == (0, before), checked.stderr
    assert "40 mails to index" in checked.stdout
    assert {path.stat().st_uid for path in (past.home, *past.home.rglob("*"))} == {past.home.stat().st_uid}


@pytest.mark.parametrize("name", NAMES)
def test_a_past_schema_moves_to_this_release(past, name):
    past.fill(name)
    began = time.monotonic()
    done = past.run("upgrade")
    LENGTHS[name] = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    past.check()
    assert past.shape() == (shapes.on_server(tables.template()) if SERVER else shapes.in_file(tables.file())), (
        "a new site's tables, made at once, are not those that the migrations make one after the other"
    )


def test_a_backup_of_an_older_release_is_restored_as_it_was_and_then_upgraded(past):
    databases.create(past.database)
    restored = past.run("restore", str(PAST / "2026-11-26-1801.zip"))
    assert restored.returncode == 0, restored.stderr
    refused = past.run("serve")
    assert refused.returncode == 2
    assert "postroad upgrade" in refused.stderr
    done = past.run("upgrade")
    assert done.returncode == 0, done.stdout + done.stderr
    past.check()


def test_an_upgrade_that_is_killed_is_finished_or_undone_by_the_next(past):
    """At a random instant of the whole way; from every past schema in turn, the latest first."""
    chance = random.Random(os.environ.get("POSTROAD_UPGRADE_SEED", "postroad"))
    for number in range(KILLS):
        name = NAMES[-1 - number % len(NAMES)]
        if name not in LENGTHS:
            test_a_past_schema_moves_to_this_release(past, name)
        past.fill(name)
        instant = chance.uniform(0, LENGTHS[name])
        past.run("upgrade", killed_after=instant)
        again = past.run("upgrade")
        assert again.returncode in (0, 1), f"{name}, killed after {instant:.2f} s: {again.stdout}{again.stderr}"
        past.check()
