"""Does the whole upgrade on a copy of the database first, in a process of its own, and says what would fail.

SQLite: a copy of the file. PostgreSQL: a copy of the tables in a schema of their own, which `PGOPTIONS` names.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from postroad.foundation.configuration import current
from postroad.foundation.errors import PostroadError
from postroad.upgrade import schema_copy
from postroad.upgrade.snapshot import copy_sqlite

SCHEMA = "postroad_preflight"


class PreflightFailed(PostroadError):
    """The upgrade would fail; nothing was touched. The text tells at which migration and why."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long the migrations and the self-test took on the copy (seconds), a snapshot's bytes, what follows."""

    seconds: float
    snapshot_bytes: int
    mails_to_index: int
    """While the site works again, if this release has another index."""


def check_disk(needed: int) -> None:
    """See that copy, snapshot and the database's own growth have room.

    Raises:
        PreflightFailed: the disk is too full.
    """
    free = shutil.disk_usage(current().home).free
    if free < needed:
        raise PreflightFailed(
            f"the disk of {current().home} has {free / 1e6:,.0f} MB free, the upgrade needs {needed / 1e6:,.0f} MB;"
            " nothing was changed; make room and call it again"
        )


def rehearse() -> Forecast:
    """Migrate and test a copy.

    Raises:
        PreflightFailed: something there would fail here too.
    """
    size = database_size()
    check_disk(3 * size if connection.vendor == "sqlite" else 10_000_000)
    with _copy() as environment:
        read, write = os.pipe()
        try:
            run = subprocess.run(  # noqa: S603 — ourselves
                [sys.executable, "-m", "postroad.upgrade.preflight", str(read)],
                env={**os.environ, **environment}, pass_fds=(read,), capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            os.close(read)
            os.close(write)
        if run.returncode != 0:
            last = (run.stderr.strip().splitlines() or ["no word about why"])[-1]
            raise PreflightFailed(f"the upgrade would fail, nothing was changed: {last}")
        told = json.loads(run.stdout)
        return Forecast(told["seconds"], size, told["mails_to_index"])


def database_size() -> int:
    """Bytes of the database."""
    if connection.vendor == "sqlite":
        return Path(connection.settings_dict["NAME"]).stat().st_size
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


@contextmanager
def _copy() -> Iterator[dict[str, str]]:
    """A copy of the database; what the environment must say so that a process works on it."""
    if connection.vendor == "sqlite":
        path = current().home / "run" / "preflight.db"
        copy_sqlite(path)
        try:
            yield {"POSTROAD_DATABASE_URL": f"sqlite:///{path}"}
        finally:
            for end in ("", "-wal", "-shm", "-journal"):
                Path(f"{path}{end}").unlink(missing_ok=True)
        return
    with schema_copy.standing_still():
        # The mails themselves are many and no migration reads them all; the table is there, empty.
        schema_copy.finish(SCHEMA, schema_copy.copy_rows(SCHEMA, without_rows=("storage_blob",)))
    try:
        yield {"PGOPTIONS": f"-c search_path={SCHEMA}", "POSTROAD_DATABASE_URL": _url()}
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _url() -> str:
    """The database this process works on, which tests may have made for themselves."""
    from urllib.parse import urlsplit

    return urlsplit(current().database.url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def _end_with_parent(pipe: int) -> None:
    """The upgrade that began this was killed: its next call makes a copy of its own at the same place."""
    os.set_blocking(pipe, True)
    os.read(pipe, 1)
    os._exit(3)


def main() -> None:
    """In the process of its own: migrate and test what the environment names."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "postroad.project.settings"
    import django

    django.setup()
    threading.Thread(target=_end_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    from postroad.mailflow.archive import rebuilding
    from postroad.upgrade.migrate import MigrationFailed, migrate_and_test

    started = time.monotonic()
    try:
        migrate_and_test()
    except (MigrationFailed, PostroadError) as error:
        sys.exit(str(error))
    seconds = time.monotonic() - started
    mails = rebuilding.to_do() if rebuilding.is_outdated() else 0
    sys.stdout.write(json.dumps({"seconds": seconds, "mails_to_index": mails}))


if __name__ == "__main__":
    main()
