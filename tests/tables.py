"""The tables of this release, made once as for a new site, and copied from then on.

`POSTROAD_TEST_TABLES` is a folder in which runs of tests find what the first of them made, and leave it there.
"""

import atexit
import fcntl
import functools
import os
import shutil
import tempfile
from pathlib import Path

from tests import databases, programs

_SHARED = os.environ.get("POSTROAD_TEST_TABLES", "")
_TEMPLATE = "tables" if _SHARED else f"tables_{os.getpid()}"


def copy_to(home: Path, name: str) -> str:
    """Give a site empty tables: in its home on SQLite, else in a database of this name; the URL."""
    if not databases.SERVER:
        shutil.copy(file(), home / "postroad.db")
    return databases.create(name, template() if databases.SERVER else "")


def file() -> Path:
    """SQLite's file with the tables, to be copied."""
    return _home("sqlite") / "postroad.db"


def template() -> str:
    """The name of PostgreSQL's database with the tables, to be copied."""
    _home("postgresql")
    return _TEMPLATE


@functools.cache
def _home(engine: str) -> Path:
    """The home that the tables were made for."""
    home = _folder() / engine
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Whoever comes second waits for the first.
        if not (home / "made").exists():
            _make(home, databases.create(_TEMPLATE) if engine == "postgresql" else "sqlite:///postroad.db")
            (home / "made").touch()
    return home


@functools.cache
def _folder() -> Path:
    if _SHARED:
        return Path(_SHARED)
    made = Path(tempfile.mkdtemp(prefix="postroad-tables-"))
    atexit.register(shutil.rmtree, made)
    atexit.register(databases.drop, _TEMPLATE)
    return made


def _make(home: Path, url: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("POSTROAD_", "DJANGO_"))}
    environment |= {"POSTROAD_HOME": str(home), "POSTROAD_DATABASE_URL": url}
    made = programs.run(["python", "-c", programs.SET_UP + programs.MAKE_TABLES], environment=environment)
    assert made.returncode == 0, made.stderr
