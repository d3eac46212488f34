"""Is what Postroad runs on new enough, and the database of this release?"""

import sys
from collections.abc import Iterator
from importlib.metadata import version

from django.db import connection

from postroad.foundation.errors import ConfigurationError
from postroad.project.doctor.finding import Finding, bad, ok
from postroad.upgrade import schema

LEAST = {"sqlite": (3, 40), "postgresql": (13, 0)}


def look() -> Iterator[Finding]:
    """The program, then the engine, then the tables."""
    yield ok(f"Postroad {version('postroad')}, Python {sys.version.split()[0]}, Django {version('django')}")
    engine, least = connection.vendor, LEAST[connection.vendor]
    found = _engine_version()
    text = ".".join(map(str, found))
    if found[:2] < least:
        yield bad(f"{engine} {text} is too old", f"Install {engine} {least[0]}.{least[1]} or later")
    else:
        yield ok(f"{connection.display_name} {text}")
    yield from _tables()


def _engine_version() -> tuple[int, ...]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sqlite_version()")
            return tuple(int(part) for part in cursor.fetchone()[0].split("."))
        cursor.execute("SHOW server_version_num")
        number = int(cursor.fetchone()[0])
        return number // 10_000, number % 10_000


def _tables() -> Iterator[Finding]:
    try:
        schema.refuse_newer()
    except ConfigurationError as error:
        yield bad(str(error), "Install the newer release again, or `postroad rollback`")
        return
    lacking = schema.lacking()
    if lacking:
        yield bad(f"the database lacks {len(lacking)} migrations of this release", "Run `postroad upgrade`")
    else:
        yield ok("the database is of this release")
