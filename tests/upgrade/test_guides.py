"""The guides are true: every command in them is called as it stands there, on a real old site."""

import os
import re
import shlex
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests import databases, programs, tables

ROOT = Path(__file__).parents[2]
FIXTURE = ROOT / "tests/upgrade/mailman2/fixture/m21.tar.xz"
pytestmark = pytest.mark.timeout(900)


def commands(guide: str) -> list[str]:
    """Lines of code, in order."""
    text = (ROOT / "docs/guides" / guide).read_text()
    return [line.strip() for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE)]


def follow(guide: str, replaced: dict[str, str]) -> list[tuple[str, int, str]]:
    """Call each line, our programs' from where Python is loaded already; line, exit code and what was said."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("POSTROAD_")}
    said = []
    for line in commands(guide):
        for old, new in replaced.items():
            line = line.replace(old, new)
        if line.startswith("postroad "):
            done = programs.run(shlex.split(line), environment=environment, timeout=600)
        else:
            done = subprocess.run(line, shell=True, capture_output=True, text=True, env=environment, check=False)
        said.append((line, done.returncode, done.stdout + done.stderr))
    return said


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The old site and the home it moves to."""
    folder = tmp_path_factory.mktemp("guides")
    with tarfile.open(FIXTURE) as tar:
        tar.extractall(folder / "mailman", filter="data")
    return folder


@pytest.fixture
def other_database():
    """The URL of an empty database to move to: PostgreSQL's where there is a server."""
    with databases.database(f"guide_{os.getpid()}") as url:
        yield url


@pytest.mark.sqlite_only
def test_from_mailman_2(site):
    box = site / "mailman/archives/private/classic.mbox/classic.mbox"
    said = follow("from-mailman-2.md", {
        "/var/lib/mailman": f"{site}/mailman", "/var/lib/postroad": f"{site}/home",
        "classic@lists.example.com classic.mbox": f"classic@lists.old.example {box} --home {site}/home",
        "plan.html": f"{site}/plan.html", "first.html": f"{site}/first.html", "last.html": f"{site}/last.html",
    })  # fmt: skip
    assert [code for _, code, _ in said] == [1, 1, 0, 1, 1, 0, 0, 0], said
    assert "Plan (nothing was changed)" in said[0][2]
    assert re.search(r"mails +528 +528 ", said[1][2])
    assert re.search(r"mails +528 +0 +0 +528 ", said[4][2])
    assert "NO" not in said[2][2] + said[5][2]
    assert all((site / f"{name}.html").stat().st_size > 1000 for name in ("plan", "first", "last"))


def test_leaving(site, tmp_path, other_database):
    home, box = tmp_path / "home", site / "mailman/archives/private/classic.mbox/classic.mbox"
    home.mkdir()
    (home / "postroad.toml").touch()
    shutil.copy(tables.file(), home / "postroad.db")
    (tmp_path / "backups").mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("POSTROAD_")}
    for words in (["list", "add", "classic@lists.old.example"], ["import", "mbox", "classic@lists.old.example", box]):
        done = programs.run(["postroad", "--home", home, *words], environment=environment)
        assert done.returncode == 0, done.stderr
    said = follow("leaving.md", {
        "postgresql://postroad@127.0.0.1/postroad": other_database, "/srv": str(tmp_path),
        "/var/lib/postroad": str(home),
    })  # fmt: skip
    assert [code for _, code, _ in said] == [0] * len(said), said
    assert re.search(r"\d+ mails can be searched for", said[2][2])
    assert (tmp_path / "exported/classic.lists.old.example/archive.mbox").exists()
