"""`postroad backup`: everything of a site in one file, as it was at one moment, while the site serves.

A ZIP archive with a file of JSON lines for each table, the site's secret and configuration, and a manifest with
checksums. It is written beside its name and renamed when it is complete; only its owner can read it.
"""

import hashlib
import os
import platform
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from postroad.foundation.configuration import current
from postroad.foundation.errors import Conflict
from postroad.foundation.storage import actions as storage
from postroad.upgrade import schema_copy
from postroad.upgrade.leaving.cells import to_json

FORMAT = 1
LEFT_OUT = ("django_session",)
"""Tables that are not kept: who is signed in now."""
HOME_FILES = ("secret.key", "postroad.toml", "mailman.cfg")


@dataclass(slots=True)
class Member:
    """One file of a backup."""

    name: str
    sha256: str
    bytes: int
    rows: int = 0


@dataclass(slots=True)
class Manifest:
    """What a backup is of; written last."""

    format: int
    made_at: str
    release: str
    engine: str
    host: str
    migrations: list[tuple[str, str]]
    members: list[Member] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    """The highest key each table ever gave, so that none is given again."""


def backup(file: Path, say: Callable[[str], object] = lambda _: None, *, replace: bool = False) -> Manifest:
    """Write everything of this site into a file that did not exist; `replace` allows one that does.

    Raises:
        Conflict: the file exists.
    """
    if file.exists() and not replace:
        raise Conflict(f"{file} exists already; name another file, or say --replace.")
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, one_moment():
                manifest = _write(archive, say)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


@contextmanager
def one_moment() -> Iterator[None]:
    """Read the database as it is now, however long that takes; writers are not kept waiting."""
    if connection.vendor == "postgresql":
        with schema_copy.standing_still("READ ONLY"):
            yield
        return
    with connection.cursor() as cursor:
        # Django's own transactions begin as writers; a reader of the write-ahead log keeps nobody waiting.
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("COMMIT")


def tables() -> list[type[Model]]:
    """Models of every table that is kept, by name; an index of words is made anew."""
    models = {
        model._meta.db_table: model for model in apps.get_models(include_auto_created=True) if model._meta.managed
    }
    return [models[name] for name in sorted(models) if name not in LEFT_OUT]


def _write(archive: zipfile.ZipFile, say: Callable[[str], object]) -> Manifest:
    manifest = Manifest(
        FORMAT, datetime.now(UTC).isoformat(), version("postroad"), connection.vendor, platform.node(),
        sorted(MigrationRecorder(connection).applied_migrations()),
    )  # fmt: skip
    for model in tables():
        began = time.monotonic()
        member = _write_table(archive, model)
        manifest.members.append(member)
        if member.rows:
            say(f"{model._meta.db_table:34}{member.rows:>12,} rows{time.monotonic() - began:>9.1f} s")
    for name in HOME_FILES:
        path = current().home / name
        if path.is_file():
            manifest.members.append(_write_file(archive, f"home/{name}", path.read_bytes()))
    manifest.counters = _counters()
    _write_file(archive, "manifest.json", msgspec.json.format(msgspec.json.encode(asdict(manifest))))
    return manifest


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, time.localtime()[:6])
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return info


def _write_file(archive: zipfile.ZipFile, name: str, data: bytes) -> Member:
    archive.writestr(_entry(name), data)
    return Member(name, hashlib.sha256(data).hexdigest(), len(data))


def _write_table(archive: zipfile.ZipFile, model: type[Model]) -> Member:
    name = f"tables/{model._meta.db_table}.jsonl"
    columns = [(f.attname, f.column) for f in model._meta.concrete_fields]
    rows = model._base_manager.order_by("pk").values_list(*(attname for attname, _ in columns))
    digest, size, count = hashlib.sha256(), 0, 0
    encode = msgspec.json.Encoder(order="sorted").encode  # PostgreSQL keeps no order in JSON
    with archive.open(_entry(name), "w", force_zip64=True) as out:
        for values in rows.iterator(chunk_size=1000):
            row = dict(zip((column for _, column in columns), values, strict=True))
            if model._meta.db_table == "storage_blob":
                row["codec"], row["data"] = storage.packed(row["key"], row["codec"], bytes(row["data"]))
            line = encode({column: to_json(value) for column, value in row.items()}) + b"\n"
            digest.update(line)
            out.write(line)
            size, count = size + len(line), count + 1
    return Member(name, digest.hexdigest(), size, count)


def _counters() -> dict[str, int]:
    """The highest key each table gave, as far as the engine counts."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, seq FROM sqlite_sequence")
            return {name: int(number) for name, number in cursor.fetchall()}
        found: dict[str, int] = {}
        for model in tables():
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [model._meta.db_table, _key(model)])
            sequence: Any = cursor.fetchone()[0]
            if sequence:
                cursor.execute(f"SELECT last_value FROM {sequence}")  # noqa: S608 — the engine's own name
                found[model._meta.db_table] = int(cursor.fetchone()[0])
        return found


def _key(model: type[Model]) -> str:
    return str(model._meta.pk.column if model._meta.pk else "id")
