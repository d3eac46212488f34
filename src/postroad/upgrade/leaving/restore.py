"""`postroad restore`: a backup becomes an empty home's site, on either engine; all of it or nothing."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import DataError, IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput, ConfigurationError, Conflict
from postroad.foundation.instance import running
from postroad.foundation.rows import marks
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive import indexing
from postroad.upgrade import new_tables, schema
from postroad.upgrade.leaving.backup import FORMAT, Manifest, Member
from postroad.upgrade.leaving.cells import columns_of, reader_of, without_nul

T = TypeVar("T")
_BATCH = 1000
_QUEUE = ("queue_job",)
_MUST_BE_EMPTY = ("lists_list", "people_user", "storage_blob", "queue_job")
_LONGEST_LINE = 512 * 1024 * 1024


def check(file: Path) -> Manifest:
    """Read a backup through and compare it with its checksums; nothing is changed.

    Raises:
        BadInput: it is no backup, of a format that is not known, or damaged; the text says where.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = msgspec.json.decode(archive.read("manifest.json"), type=Manifest)
            if manifest.format != FORMAT:
                raise BadInput(f"{file} has format {manifest.format}; this release reads format {FORMAT}.")
            for member in manifest.members:
                _check_member(archive, member)
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        msgspec.MsgspecError,
        EOFError,
        OSError,
        NotImplementedError,
    ) as error:
        raise BadInput(f"{file} is no backup, or is damaged: {error}") from None
    return manifest


def _check_member(archive: zipfile.ZipFile, member: Member) -> None:
    digest = hashlib.sha256()
    with archive.open(member.name) as opened:
        while data := opened.read(1 << 20):
            digest.update(data)
    if digest.hexdigest() != member.sha256:
        raise BadInput(f"{member.name} is not what it was when the backup was made")


def restore(file: Path, say: Callable[[str], object] = lambda _: None, *, with_queue: bool = True) -> Manifest:
    """Make this home, which must be empty, the site of a backup; without `with_queue`, mail that waited is left out.

    Raises:
        BadInput: the file is no backup, or damaged.
        Conflict: there is a site in the home already, or it is served.
        ConfigurationError: the backup is of a newer release, or the database not in UTF-8.
    """
    manifest = check(file)
    say(f"{file} is whole: {len(manifest.members)} files, made {manifest.made_at}")
    if running(current().home):
        raise Conflict("stop `postroad serve` first.")
    schema.refuse_encoding()
    models = _make_schema(manifest)
    with zipfile.ZipFile(file) as archive, transaction.atomic():
        _refuse_full()
        _load(archive, manifest, models, say, with_queue=with_queue)
        _set_counters(manifest, models)
    _restore_secret(file)
    indexing.clear()
    done = sum(indexing.index_lacking())
    say(f"{done:,} mails can be searched for")
    if lacking := schema.lacking():
        say(f"the backup is of an older release: run `postroad upgrade` ({len(lacking)} migrations)")
    return manifest


def _make_schema(manifest: Manifest) -> dict[str, type[Model]]:
    """Make the tables as the backup had them; their models by table."""
    executor = MigrationExecutor(connection)
    wanted = {(app, name) for app, name in manifest.migrations}
    unknown = sorted(wanted - set(executor.loader.graph.nodes))
    if unknown:
        raise ConfigurationError(
            f"the backup is of a newer release ({manifest.release}): {'.'.join(unknown[0])} is unknown here"
        )
    graph = executor.loader.graph
    targets = [node for node in wanted if not any(child.key in wanted for child in graph.node_map[node].children)]
    if foreign := set(executor.loader.applied_migrations) - wanted:
        raise Conflict(
            f"the database here is of a newer release than the backup (it has {'.'.join(min(foreign))}): name a"
            " new database under [database] in postroad.toml"
        )
    if executor.loader.applied_migrations:
        executor.migrate(sorted(targets))
    else:
        new_tables.make(executor, targets)
    registry: Apps = executor.loader.project_state(sorted(targets)).apps
    return {model._meta.db_table: model for model in registry.get_models(include_auto_created=True)}


def _refuse_full() -> None:
    with connection.cursor() as cursor:
        for table in _MUST_BE_EMPTY:
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 — our own names
            if cursor.fetchone():
                raise Conflict(
                    f"there is a site in {current().home} already ({table} has rows); a backup goes into a new home"
                )


def _load(
    archive: zipfile.ZipFile, manifest: Manifest, models: dict[str, type[Model]], say: Callable[[str], object], *,
    with_queue: bool,
) -> None:  # fmt: skip
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for member in manifest.members:
        table = member.name.removeprefix("tables/").removesuffix(".jsonl")
        if not member.name.startswith("tables/"):
            continue
        if table not in models:
            raise BadInput(f"{member.name}: there is no such table")
        _empty(table)
        if table in _QUEUE and not with_queue:
            say(f"{table:34}{member.rows:>12,} rows left out")
            continue
        with archive.open(member.name) as lines:
            count = _load_table(models[table], iter(lambda: lines.readline(_LONGEST_LINE), b""))
        if count:
            say(f"{table:34}{count:>12,} rows")


def _empty(table: str) -> None:
    """What migrations put there themselves gives way."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 — a model's name


def _load_table(model: type[Model], lines: Iterator[bytes]) -> int:
    fields = list(model._meta.concrete_fields)
    table = model._meta.db_table
    name = connection.ops.quote_name
    insert = (
        f"INSERT INTO {name(table)} ({', '.join(name(str(f.column)) for f in fields)})"  # noqa: S608 — a model's names
        f" VALUES ({marks(len(fields))})"
    )
    readers = [reader_of(field) for field in fields]
    kept = without_nul if connection.vendor == "postgresql" else bytes
    decode, count = msgspec.json.Decoder(dict[str, Any]).decode, 0
    while batch := list(islice(lines, _BATCH)):
        rows = []
        for line in batch:
            cells = columns_of(fields, decode(kept(line)), table)
            values = {f.attname: read(cell) for f, read, cell in zip(fields, readers, cells, strict=True)}
            if table == "storage_blob":  # Contents may lie in files here.
                codec, data = storage.keep_packed(values["key"], values["codec"], values["data"])
                values |= {"codec": codec, "data": data}
            rows.append([f.get_db_prep_save(values[f.attname], connection) for f in fields])
        try:
            with connection.cursor() as cursor:
                cursor.executemany(insert, rows)
        except (DataError, IntegrityError) as error:
            raise BadInput(f"rows {count + 1:,} to {count + len(rows):,} of {table}: {error}") from error
        count += len(rows)
    return count


def _set_counters(manifest: Manifest, models: dict[str, type[Model]]) -> None:
    """No key that was ever given is given again: links in old mails name them."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for sql in connection.ops.sequence_reset_sql(no_style(), list(models.values())):
                cursor.execute(sql)
        for table, number in manifest.counters.items():
            model = models.get(table)
            if model is None or model._meta.pk is None:
                continue
            if connection.vendor == "sqlite":
                cursor.execute("UPDATE sqlite_sequence SET seq = MAX(seq, %s) WHERE name = %s", [number, table])
                cursor.execute(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT %s, %s"
                    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = %s)",
                    [table, number, table],
                )
            else:
                cursor.execute(
                    "SELECT setval(s, GREATEST(nextval(s), %s)) FROM pg_get_serial_sequence(%s, %s) s"
                    " WHERE s IS NOT NULL",
                    [number, table, model._meta.pk.column],
                )


def _restore_secret(file: Path) -> None:
    """The site's secret, with which return paths and links in mails on their way are made."""
    with zipfile.ZipFile(file) as archive:
        if "home/secret.key" not in archive.namelist():
            return
        data = archive.read("home/secret.key")
    path = current().home / "secret.key"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
