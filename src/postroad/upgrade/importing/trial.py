"""Where a plan is made: what it writes is gone afterwards, and the site goes on beside it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from postroad.foundation.configuration import current
from postroad.upgrade.importing.plan import ImportStopped
from postroad.upgrade.snapshot import copy_sqlite


@contextmanager
def thrown_away() -> Iterator[None]:
    """Let everything that is written to the database be taken back at the end.

    PostgreSQL takes a transaction back. SQLite has one writer at a time, so it is a copy of the database that is
    written to.

    Raises:
        ImportStopped: there is no room for the copy.
    """
    with _contents_inside():
        if connection.vendor == "sqlite":
            with _copy():
                yield
            return
        with transaction.atomic():
            yield
            transaction.set_rollback(True)


@contextmanager
def _copy() -> Iterator[None]:
    file, real = current().home / "run" / "plan.db", connection.settings_dict
    try:
        _make(file)
        connection.close()
        connection.settings_dict = {**real, "NAME": str(file)}  # Other threads have the real one.
        yield
    finally:
        connection.close()
        connection.settings_dict = real
        _remove(file)


def _make(file: Path) -> None:
    _remove(file)  # Of a plan that was killed.
    try:
        copy_sqlite(file)
    except (OSError, sqlite3.Error) as error:
        raise ImportStopped(f"a plan is made on a copy of the database, which cannot be in {file}: {error}") from error


def _remove(file: Path) -> None:
    for end in ("", ".new", "-wal", "-shm"):
        file.with_name(f"{file.name}{end}").unlink(missing_ok=True)


@contextmanager
def _contents_inside() -> Iterator[None]:
    """Mails go into the database, which forgets them, although the site keeps them in files or in a bucket."""
    real = current()
    settings.POSTROAD = replace(real, storage=replace(real.storage, kind="database"))
    try:
        yield
    finally:
        settings.POSTROAD = real
