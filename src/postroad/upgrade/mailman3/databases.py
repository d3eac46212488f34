"""Reads the databases of an old installation as they lie: SQLite, PostgreSQL, MySQL or MariaDB; never writes.

Tables are read in pieces by their key, so that nothing is locked for long beside a living system and memory stays
flat. Columns that an older release does not have come out as None; a table it does not have is empty.
"""

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from postroad.foundation.errors import BadInput
from postroad.upgrade.importing.plan import ImportStopped

PIECE = 2000
"""Rows that are fetched at once."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is."""

    kind: str
    """`sqlite`, `postgresql` or `mysql`."""
    name: str
    """The file, or the database's name."""
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.kind == "sqlite":
            return self.name
        return f"{self.kind}://{self.host or 'localhost'}{f':{self.port}' if self.port else ''}/{self.name}"


def place_of(url: str) -> Place:
    """The place a database URL names, as SQLAlchemy, dj-database-url and `postroad.toml` write them.

    Raises:
        BadInput: no such kind of database is read.
    """
    parts = urlsplit(url)
    kind = parts.scheme.partition("+")[0].lower()
    kind = {"postgres": "postgresql", "mariadb": "mysql", "sqlite3": "sqlite", "postgis": "postgresql"}.get(kind, kind)
    if kind == "sqlite":
        return Place("sqlite", unquote(url.partition(":///")[2].partition("?")[0]))
    if kind not in ("postgresql", "mysql"):
        raise BadInput(f"{parts.scheme or url}: databases are read from sqlite:///, postgresql:// and mysql://")
    asked = parse_qs(parts.query)
    host = parts.hostname or (asked.get("host") or asked.get("unix_socket") or [""])[0]
    return Place(
        kind, unquote(parts.path.lstrip("/")), unquote(parts.username or ""), unquote(parts.password or ""),
        unquote(host), parts.port or 0,
    )  # fmt: skip


class OldDatabase:
    """One database, open for reading."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._columns: dict[str, frozenset[str]] = {}
        self._texts: dict[str, frozenset[str]] = {}
        """Columns by table that MySQL compares by a collation."""
        self._connection = self._open()

    def _open(self) -> Any:
        try:
            return _OPENERS[self.place.kind](self.place)
        except Exception as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"{self.place}: cannot be read: {str(error).strip()}") from error

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def columns(self, table: str) -> frozenset[str]:
        """The names of a table's columns; none if there is no such table."""
        if table not in self._columns:
            if self.place.kind == "sqlite":
                rows = self._fetch(f"PRAGMA table_info({self._quoted(table)})", (), table)
                self._columns[table] = frozenset(row[1] for row in rows)
            else:
                schema = "database()" if self.place.kind == "mysql" else "current_schema()"
                sql = (
                    "SELECT column_name, collation_name FROM information_schema.columns"  # noqa: S608 — our words
                    f" WHERE table_name = %s AND table_schema = {schema}"
                )
                rows = self._fetch(sql, (table,), table)
                self._columns[table] = frozenset(row[0] for row in rows)
                self._texts[table] = frozenset(row[0] for row in rows if row[1] and self.place.kind == "mysql")
        return self._columns[table]

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return bool(self.columns(table))

    def count(self, table: str) -> int:
        """How many rows a table has."""
        if not self.has(table):
            return 0
        return int(self._fetch(f"SELECT count(*) FROM {self._quoted(table)}", (), table)[0][0])  # noqa: S608

    def rows(self, table: str, columns: Sequence[str], key: tuple[str, ...] = ("id",)) -> Iterator[Row]:
        """Every row in the order of its key, with these columns; the ones that are not there are None.

        No two rows may have the same values in all columns of the key.
        """
        there = self.columns(table)
        if not there:
            return
        present = [name for name in columns if name in there]
        absent = {name: None for name in columns if name not in there}
        names = ", ".join(self._quoted(name) for name in (*key, *present))
        start = f"SELECT {names} FROM {self._quoted(table)}"  # noqa: S608 — names of ours, quoted
        place = ", ".join(self._compared(table, name) for name in key)
        order = f"ORDER BY {place} LIMIT {PIECE}"
        behind = f"WHERE ({place}) > ({', '.join([self._mark] * len(key))})"
        found = self._fetch(f"{start} {order}", (), table)
        while found:
            for row in found:
                yield {**absent, **dict(zip(present, row[len(key) :], strict=True))}
            if len(found) < PIECE:
                return
            found = self._fetch(f"{start} {behind} {order}", found[-1][: len(key)], table)

    def _compared(self, table: str, name: str) -> str:
        """A column as it is put in order: its collation may call two texts equal, and a piece may end between them."""
        quoted = self._quoted(name)
        return f"CAST(CONVERT({quoted} USING utf8mb4) AS BINARY)" if name in self._texts.get(table, ()) else quoted

    def pick(self, table: str, columns: Sequence[str], key: str, values: Sequence[Any]) -> list[Row]:
        """The rows whose column `key` has one of these values, in the order of their ids."""
        there = self.columns(table)
        if not there or not values:
            return []
        present = [name for name in columns if name in there]
        absent = {name: None for name in columns if name not in there}
        names = ", ".join(self._quoted(name) for name in present)
        marks = ", ".join([self._mark] * len(values))
        order = f" ORDER BY {self._quoted('id')}" if "id" in there else ""
        sql = f"SELECT {names} FROM {self._quoted(table)} WHERE {self._quoted(key)} IN ({marks}){order}"  # noqa: S608
        return [{**absent, **dict(zip(present, row, strict=True))} for row in self._fetch(sql, tuple(values), table)]

    def octets(self, table: str, column: str, key: str, values: Sequence[Any]) -> dict[Any, int]:
        """How many octets a column holds in the rows whose column `key` has each of these values."""
        if not {column, key} <= self.columns(table) or not values:
            return {}
        marks = ", ".join([self._mark] * len(values))
        name = self._quoted(key)
        # SQLite counts the characters of a text, which is near enough.
        length = f"{'length' if self.place.kind == 'sqlite' else 'octet_length'}({self._quoted(column)})"
        sql = f"SELECT {name}, sum({length}) FROM {self._quoted(table)} WHERE {name} IN ({marks}) GROUP BY {name}"  # noqa: S608 — as above
        return {value: int(count) for value, count in self._fetch(sql, tuple(values), table) if count is not None}

    def held(self, table: str, column: str, values: Sequence[Any]) -> set[Any]:
        """Which of these values a column has somewhere."""
        if not self.has(table) or not values:
            return set()
        marks = ", ".join([self._mark] * len(values))
        name = self._quoted(column)
        sql = f"SELECT DISTINCT {name} FROM {self._quoted(table)} WHERE {name} IN ({marks})"  # noqa: S608 — as above
        return {row[0] for row in self._fetch(sql, tuple(values), table)}

    @property
    def _mark(self) -> str:
        return "?" if self.place.kind == "sqlite" else "%s"

    def _quoted(self, name: str) -> str:
        return f"`{name}`" if self.place.kind == "mysql" else f'"{name}"'

    def _fetch(self, sql: str, parameters: Sequence[Any], table: str) -> list[tuple[Any, ...]]:
        try:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(sql, parameters)
                return list(cursor.fetchall())
        except Exception as error:
            raise ImportStopped(
                f"table {table} of {self.place} cannot be read: {str(error).strip() or type(error).__name__}. What was"
                " written until now stays; when the database can be read again, call the same command and it goes on."
            ) from error


def _open_sqlite(place: Place) -> Any:
    file = Path(place.name)
    if not file.is_file():
        raise BadInput(f"{file}: no such file; name the database with --core or --web, or tell paths with --moved")
    _check_length(file)
    made = sqlite3.connect(f"file:{file.as_posix().replace('?', '%3f').replace('#', '%23')}?mode=ro", uri=True)
    made.text_factory = _text
    made.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return made


def _text(data: bytes) -> str:
    """Seen in practice: text that is no UTF-8, written by old Python 2 web processes."""
    return data.decode("utf-8", "replace")


def _check_length(file: Path) -> None:
    """A copy that was cut short is told before anything is done (SQLite file format §1.3: page size, page count)."""
    with file.open("rb") as opened:
        head = opened.read(100)
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        raise BadInput(f"{file}: this is no SQLite database")
    size = struct.unpack(">H", head[16:18])[0]
    pages = struct.unpack(">I", head[28:32])[0]
    whole = pages * (65_536 if size == 1 else size)
    length = file.stat().st_size
    # The count is kept only by versions that also write their number behind it.
    if head[24:28] == head[92:96] and length < whole:
        raise BadInput(f"{file}: cut short: {length:,} of {whole:,} bytes are there; copy it again, with its -wal file")


def _open_postgresql(place: Place) -> Any:
    try:
        import psycopg
        from psycopg.adapt import Loader
    except ImportError:
        raise BadInput("reading PostgreSQL needs the package psycopg: pip install 'postroad[postgres]'") from None
    made = psycopg.connect(
        dbname=place.name, user=place.user or None, password=place.password or None, host=place.host or None,
        port=place.port or None, connect_timeout=20,
    )  # fmt: skip

    class AnyText(Loader):
        """Seen in practice: databases of the encoding SQL_ASCII, which keep whatever octets a text had."""

        def load(self, data: Any) -> str:
            try:
                return bytes(data).decode()
            except UnicodeDecodeError:
                return bytes(data).decode("latin-1")

    for kind in ("text", "varchar", "bpchar", "name"):
        made.adapters.register_loader(kind, AnyText)
    made.autocommit = True
    if made.info.parameter_status("server_encoding") != "SQL_ASCII":
        made.execute("SET client_encoding TO 'UTF8'")
    made.read_only = True
    return made


def _open_mysql(place: Place) -> Any:
    try:
        import pymysql
    except ImportError:
        raise BadInput("reading MySQL needs the package PyMySQL: pip install 'postroad[migration]'") from None
    reached = {"unix_socket": place.host} if place.host.startswith("/") else {"host": place.host or "localhost"}
    made = pymysql.connect(
        database=place.name, user=place.user or None, password=place.password, port=place.port or 3306,
        charset="utf8mb4", connect_timeout=20, autocommit=True, **reached,
    )  # fmt: skip
    with made.cursor() as cursor:
        # Column collations of old sites are every kind there is; keys are compared as bytes.
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
    return made


_OPENERS = {"sqlite": _open_sqlite, "postgresql": _open_postgresql, "mysql": _open_mysql}
