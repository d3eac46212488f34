"""What the tables of a site are like, to be compared with those of another."""

import contextlib
import re
import sqlite3
import subprocess
from pathlib import Path

from tests.databases import SERVER

_KNOWN = "SELECT app || '.' || name FROM django_migrations"
_CASTS = re.compile(r"::(text|character varying)(\[\])?|[()]")


def in_file(file: Path) -> set[str]:
    """Every definition in SQLite's file, and the migrations it knows; the order of a table's columns does not matter."""
    with contextlib.closing(sqlite3.connect(file)) as opened:
        made = opened.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        known = opened.execute(_KNOWN).fetchall()
    # A table that was renamed is quoted in another way.
    pieces = ([piece.rstrip(")") for piece in re.sub("['\"]", "", sql).split(", ")] for (sql,) in made)
    return {*(", ".join(sorted(some)) for some in pieces), *(name for (name,) in known)}


def on_server(name: str) -> set[str]:
    """Every definition in a database of PostgreSQL, and the migrations it knows."""
    import psycopg

    command = ["pg_dump", "--schema-only", "--schema=public", f"{SERVER}/{name}"]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    with psycopg.connect(f"{SERVER}/{name}") as opened:
        known = opened.execute(_KNOWN).fetchall()
    # Conditions come back from a dump with other casts; `\\restrict` has another word each time.
    statements = (_CASTS.sub("", some) for some in made.split("\n\n") if not some.startswith("\\"))
    return {*statements, *(name for (name,) in known)}
