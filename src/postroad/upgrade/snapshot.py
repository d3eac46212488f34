"""The state before the last upgrade, and the way back to it.

On SQLite it is a copy of the database in the home, on PostgreSQL a second schema in the same database. The store of
messages only ever grows, so PostgreSQL's snapshot leaves it out unless the upgrade changes it.

Nobody waits for the large part. On SQLite the file is copied while the site works; a reader stands by, so that whatever
is written meanwhile stays in the write-ahead log, which is copied last (https://www.sqlite.org/walformat.html §2.3.1).
On PostgreSQL the rows are copied while the site works, and last what was written meanwhile; indexes are made of them
only if somebody goes back.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db import connection, transaction

from postroad.foundation.configuration import current
from postroad.foundation.errors import NotFound
from postroad.upgrade import schema_copy
from postroad.upgrade.carrying import Carried, Carrying

SCHEMA = "postroad_snapshot"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known about it: when it was made (seconds since 1970), before which migrations, and its size in bytes."""

    made_at: float
    engine: str
    before: list[str]
    size: int
    definitions: list[str] = field(default_factory=list)
    """On PostgreSQL: the statements that make the copy's constraints and indexes."""


def _folder() -> Path:
    return current().home / "snapshot"


def _file() -> Path:
    return _folder() / "postroad.db"


def last() -> Snapshot:
    """The snapshot that can be gone back to.

    Raises:
        NotFound: there is none.
    """
    note = _folder() / "snapshot.json"
    if not note.exists():
        raise NotFound("There is no snapshot: nothing was upgraded here, or it was gone back to already.")
    found = Snapshot(**json.loads(note.read_text()))
    if found.engine == "postgresql" and not schema_copy.tables_of(SCHEMA):
        _forget()  # Going back died at its very end.
        return last()
    return found


@contextmanager
def beginning(before: Sequence[str]) -> Iterator[Callable[[], Snapshot]]:
    """Do what takes long before these migrations, while the site works; what this gives completes the snapshot.

    It takes the former snapshot's place, whole or not at all.
    """
    _folder().mkdir(exist_ok=True)
    _forget()
    if connection.vendor != "sqlite":
        since, definitions = _copy_rows(before)

        def complete() -> Snapshot:
            with schema_copy.standing_still():
                schema_copy.catch_up(SCHEMA, since)
            return _keep(before, 0, definitions)

        yield complete
        return
    live = str(connection.settings_dict["NAME"])
    reader = sqlite3.connect(live, isolation_level=None)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT 1 FROM sqlite_master").fetchone()
        _copy_file(live, _file())
        yield lambda: _keep(before, _copy_log(Path(f"{live}-wal")), [])
    finally:
        reader.close()


def _forget() -> None:
    (_folder() / "snapshot.json").unlink(missing_ok=True)
    for end in ("", "-wal", "-shm"):
        Path(f"{_file()}{end}").unlink(missing_ok=True)


def _copy_file(source: str, target: Path) -> None:
    """In another process: here, closing the file would take this process's locks of it away (POSIX fcntl)."""
    program = (
        "import os, shutil, sys\nshutil.copyfile(sys.argv[1], sys.argv[2])\n"
        "with open(sys.argv[2], 'rb') as file: os.fsync(file.fileno())"
    )
    command = [sys.executable, "-c", program, source, str(target)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 — ourselves
    if run.returncode != 0:
        raise OSError((run.stderr.strip().splitlines() or [f"{source} cannot be copied"])[-1])


def _copy_log(log: Path) -> int:
    """The write-ahead log as it is now; of a transaction that is being written the end is not there, nor counts."""
    if log.exists():
        with log.open("rb") as source, Path(f"{_file()}-wal").open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
    return _file().stat().st_size


def _copy_rows(before: Sequence[str]) -> tuple[str, list[str]]:
    """Copy all rows of one moment; that moment, and the statements that make constraints and indexes."""
    stored = any(name.startswith("storage.") for name in before)
    with schema_copy.standing_still():
        return schema_copy.moment(), schema_copy.copy_rows(SCHEMA, leave_out=() if stored else ("storage_blob",))


def _keep(before: Sequence[str], size: int, definitions: list[str]) -> Snapshot:
    """From here on there is a snapshot."""
    made = Snapshot(time.time(), connection.vendor, list(before), size, definitions)
    temporary = _folder() / "snapshot.json.new"
    with temporary.open("w") as file:
        json.dump(asdict(made), file)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(_folder() / "snapshot.json")
    return made


def copy_sqlite(target: Path) -> int:
    """Copy the database as one moment shows it, while others go on writing; its size in bytes."""
    temporary = target.with_name(f"{target.name}.new")
    temporary.unlink(missing_ok=True)
    connection.ensure_connection()
    with connection.wrap_database_errors, closing(sqlite3.connect(temporary)) as copy:
        connection.connection.backup(copy)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(target)
    return target.stat().st_size


def go_back() -> Carried:
    """Put the snapshot in the database's place, with what became of mail since. One transaction.

    Raises:
        NotFound: there is none.
    """
    last()
    with connection.wrap_database_errors:
        carried = _sqlite_back() if connection.vendor == "sqlite" else _postgresql_back()
    _forget()
    return carried


def _sqlite_back() -> Carried:
    # All is carried into a copy, so that being killed here leaves both as they were.
    merged = _folder() / "merged.db"
    merged.unlink(missing_ok=True)
    with closing(sqlite3.connect(_file())) as source, closing(sqlite3.connect(merged)) as target:
        source.backup(target)
        target.execute("ATTACH ? AS live", (str(connection.settings_dict["NAME"]),))
        with target:
            carried = Carrying(
                into="main", live="live",
                columns=lambda schema, table: [r[1] for r in target.execute(f"PRAGMA {schema}.table_info({table})")],
                rows=lambda sql: target.execute(sql).fetchall(),
                write=lambda sql, rows: target.executemany(sql.replace("%s", "?"), rows),
                epoch="strftime('%s', {})",
            ).carry()  # fmt: skip
            target.execute(
                "UPDATE main.sqlite_sequence AS s SET seq = MAX(s.seq, l.seq) FROM live.sqlite_sequence l"
                " WHERE l.name = s.name"
            )
            target.execute(
                "INSERT INTO main.sqlite_sequence SELECT * FROM live.sqlite_sequence"
                " WHERE name NOT IN (SELECT name FROM main.sqlite_sequence)"
            )
        target.execute("DETACH live")
        connection.close()
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as live:
            target.backup(live)
    merged.unlink()
    return carried


def _postgresql_back() -> Carried:
    live = schema_copy.current_schema()
    with transaction.atomic(), connection.cursor() as cursor:
        schema_copy.finish(SCHEMA, last().definitions)
        carried = Carrying(
            into=SCHEMA, live=f'"{live}"',
            columns=lambda schema, table: schema_copy.written_columns(schema.strip('"'), table),
            rows=schema_copy.rows, write=cursor.executemany, epoch="EXTRACT(EPOCH FROM {})",
        ).carry()  # fmt: skip
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # No table can be moved while a check of it waits.
        for table in schema_copy.tables_of(SCHEMA):
            schema_copy.copy_counters(live, SCHEMA, table)
        schema_copy.move_back(SCHEMA)
    return carried
