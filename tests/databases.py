"""Databases for programs that run beside the tests, on the engine the tests run on."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = os.environ.get("POSTROAD_TEST_DATABASE", "").rpartition("/")[0]
"""The server's URL without a database; empty on SQLite, where each home has a file of its own."""


def url_of(name: str) -> str:
    """The URL that a site's configuration has for a database of this name."""
    return f"{SERVER}/{name}" if SERVER else "sqlite:///postroad.db"


def create(name: str, like: str = "", encoding: str = "") -> str:
    """Make a database anew, empty or the copy of another; its URL. On SQLite there is nothing to do."""
    drop(name)
    if SERVER:
        own = f" TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING '{encoding}'" if encoding else ""
        _on_server(f"CREATE DATABASE {name}{own}" + (f" TEMPLATE {like}" if like else ""))
    return url_of(name)


def drop(name: str) -> None:
    """Remove a database, if it is there; SQLite's file goes with its home."""
    if SERVER:
        _on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def database(name: str, like: str = "", encoding: str = "") -> Iterator[str]:
    """A database for a while; its URL."""
    yield create(name, like, encoding)
    drop(name)


def number(home: Path, name: str, statement: str) -> int:
    """What a statement counts in a site's database, while the site runs: what programs print would be slow to ask for."""
    if SERVER:
        import psycopg

        with psycopg.connect(f"{SERVER}/{name}", autocommit=True) as connection:
            found = connection.execute(statement).fetchone()
    else:
        with contextlib.closing(sqlite3.connect(home / "postroad.db")) as file:
            found = file.execute(statement).fetchone()
    assert found is not None
    return int(found[0])


def _on_server(statement: str) -> None:
    import psycopg

    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        connection.execute(statement)
