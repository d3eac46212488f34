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
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection, transaction

from postroad.foundation.configuration import current
from postroad.foundation.errors import NotFound
from postroad.foundation.queue.envelope import Envelope, encode
from postroad.upgrade import schema_copy

SCHEMA = "postroad_snapshot"

CARRIED = ("storage_blob", "delivery_dispatch", "delivery_chunk", "queue_step")
"""What came after the snapshot and stays when it is gone back to: mails, their ways, and who has a copy already."""


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
    return Snapshot(**json.loads(note.read_text()))


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
    copy = sqlite3.connect(temporary)
    try:
        connection.connection.backup(copy)
    finally:
        copy.close()
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(target)
    return target.stat().st_size


def go_back() -> dict[str, int]:
    """Put the snapshot in the database's place; how many rows of each table were carried over.

    Mails accepted since stay: what still waits goes on, what was archived is archived again. One transaction.
    """
    last()
    counts = _sqlite_back() if connection.vendor == "sqlite" else _postgresql_back()
    _forget()
    return counts


def _sqlite_back() -> dict[str, int]:
    again = _to_archive_again(last().made_at)
    # The carried rows go into a copy, so that being killed here leaves both as they were.
    merged = _folder() / "merged.db"
    merged.unlink(missing_ok=True)
    source = sqlite3.connect(_file())
    with sqlite3.connect(merged) as target:
        source.backup(target)
    source.close()
    target = sqlite3.connect(merged)
    target.execute("ATTACH ? AS live", (str(connection.settings_dict["NAME"]),))
    with target:
        counts = {
            table: target.execute(
                _carry(table, "main", "live", _shared(_names(target, "main", table), _names(target, "live", table)))
            ).rowcount
            for table in (*CARRIED, "queue_job")
        }
        target.execute("DELETE FROM main.queue_job WHERE id NOT IN (SELECT id FROM live.queue_job)")
        target.executemany(_PUT.format(schema="main", mark="?"), again)
    target.execute("DETACH live")
    connection.close()
    live = sqlite3.connect(connection.settings_dict["NAME"])
    target.backup(live)
    live.close()
    target.close()
    merged.unlink()
    return {**counts, "archived again": len(again)}


def _postgresql_back() -> dict[str, int]:
    counts: dict[str, int] = {}
    live = schema_copy.current_schema()
    with transaction.atomic(), connection.cursor() as cursor:
        again = _to_archive_again(last().made_at)
        schema_copy.finish(SCHEMA, last().definitions)
        copied = schema_copy.tables_of(SCHEMA)
        for table in (*CARRIED, "queue_job"):
            if table in copied:
                columns = _shared(schema_copy.columns_of(SCHEMA, table), schema_copy.columns_of(live, table))
                cursor.execute(_carry(table, SCHEMA, live, columns))
                counts[table] = cursor.rowcount
                schema_copy.copy_counters(live, SCHEMA, table)
        cursor.execute(f'DELETE FROM {SCHEMA}.queue_job WHERE id NOT IN (SELECT id FROM "{live}".queue_job)')  # noqa: S608
        if again:
            cursor.executemany(_PUT.format(schema=SCHEMA, mark="%s"), again)
        schema_copy.move_back(SCHEMA)
    return {**counts, "archived again": len(again)}


_PUT = (
    "INSERT INTO {schema}.queue_job (queue, state, due_at, envelope, attempts, deaths, claim, worker, created_at,"
    " list_id, message_id, error) VALUES ('archive', 0, {mark}, {mark}, 0, 0, 0, '', {mark}, {mark}, {mark}, '')"
)


def _carry(table: str, into: str, live: str, columns: list[str]) -> str:
    """The statement that copies what is in `live` and not in the snapshot; only columns that both have."""
    key = "key" if table == "storage_blob" else "id"
    names = ", ".join(f'"{name}"' for name in columns)
    overriding = "" if into == "main" or key == "key" else " OVERRIDING SYSTEM VALUE"
    return (
        f"INSERT INTO {into}.{table} ({names}){overriding} SELECT {names} FROM {live}.{table}"  # noqa: S608
        f" WHERE {key} NOT IN (SELECT {key} FROM {into}.{table})"
    )


def _shared(snapshot: Sequence[str], live: Sequence[str]) -> list[str]:
    return [name for name in snapshot if name in live]


def _names(database: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA {schema}.table_info({table})")]


def _to_archive_again(since: float) -> list[tuple[float, bytes, float, str, str]]:
    """Jobs for what was archived since the snapshot: due at, envelope, made at, list, Message-ID."""
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.message, m.message_id, l.list_id, m.size FROM archive_mail m"
            " JOIN lists_list l ON l.id = m.mailing_list_id WHERE m.archived_at > %s",
            (_as_parameter(since),),
        )
        rows = cursor.fetchall()
    jobs = []
    for message, message_id, list_id, size in rows:
        envelope = Envelope(
            journey=os.urandom(12).hex(), message=message, message_id=message_id, received_at=now, size=size,
            list_id=list_id,
        )  # fmt: skip
        jobs.append((now, encode(envelope), now, list_id, message_id[:998]))
    return jobs


def _as_parameter(moment: float) -> str | None:
    return connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(moment, tz=UTC))
