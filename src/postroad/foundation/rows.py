"""Reads and writes rows of a model with SQL that was made once; Django's ORM makes it anew for each row.

For what is done for every mail and every call. Nothing else is different: fields adapt their values, rows are models.
"""

import functools
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import BooleanField, CharField, DateTimeField, EmailField, Field, Model, TextField
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)
_ROWS_AT_ONCE = 100
NOT_KEPT = re.compile("[\0\ud800-\udfff]")
"""What no column of texts holds: PostgreSQL takes no NUL, UTF-8 no half characters."""
_Converter = Callable[[Any, Any, Any], Any]


def insert(row: M) -> M:
    """Write a new row and give it the key it got; like `save(force_insert=True)`, without signals."""
    database = connections[DEFAULT_DB_ALIAS]
    insertion = _insertion(type(row), database.vendor)
    values = [field.pre_save(row, True) for field in insertion.fields]
    row.pk = insertion.run(database, values)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return row


def add(model: type[Model], **given: Any) -> int:
    """Write a new row of these values, all others by default, and give its key; where no object is needed.

    Raises:
        TypeError: a value for something that is no column.
    """
    database = connections[DEFAULT_DB_ALIAS]
    insertion = _insertion(model, database.vendor)
    return insertion.run(database, insertion.values(model, given))


def row_of(model: type[Model], **given: Any) -> tuple[str, tuple[Any, ...]]:
    """The same row for `insert_many`: its `into`, and the row's values.

    Raises:
        TypeError: a value for something that is no column.
    """
    database = connections[DEFAULT_DB_ALIAS]
    insertion = _insertion(model, database.vendor)
    return insertion.into, tuple(insertion.adapted(database, insertion.values(model, given)))


@dataclass(frozen=True, slots=True)
class _Insertion:
    """How rows of a model are written on one engine."""

    into: str
    fields: Sequence["Field[Any, Any]"]
    adapters: Sequence[tuple[int, "Field[Any, Any]"]]
    """By place, the fields whose values are not written as they are: texts and truth values need no adapting."""

    def values(self, model: type[Model], given: dict[str, Any]) -> list[Any]:
        """What was given, and defaults for the rest."""
        known = [given.pop(field.attname) if field.attname in given else field.get_default() for field in self.fields]
        if given:
            raise TypeError(f"{model.__name__} has no column {', '.join(given)}")
        return known

    def adapted(self, database: BaseDatabaseWrapper, values: list[Any]) -> list[Any]:
        """The values as the engine takes them."""
        for at, field in self.adapters:
            if values[at] is not None:
                values[at] = field.get_db_prep_save(values[at], database)
        return values

    def run(self, database: BaseDatabaseWrapper, values: list[Any]) -> int:
        """Write a row of these values; its key."""
        with database.cursor() as cursor:
            cursor.execute(f"{self.into} VALUES ({marks(len(values))}) RETURNING id", self.adapted(database, values))
            key: int = cursor.fetchone()[0]
        return key


_AS_THEY_ARE = (CharField, EmailField, TextField, BooleanField)


@functools.cache
def _insertion(model: type[Model], vendor: str) -> _Insertion:
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    into = f'INSERT INTO "{model._meta.db_table}" ({columns})'
    return _Insertion(into, fields, [(at, field) for at, field in enumerate(fields) if type(field) not in _AS_THEY_ARE])


def insert_many(into: str, rows: Sequence[Sequence[Any]], behind: str = "") -> None:
    """Write rows by one statement, `into` and `behind` being what stands before and behind its VALUES.

    A statement for each row costs more than the row, and in SQLite gives the interpreter to whoever waits for it.
    """
    database = connections[DEFAULT_DB_ALIAS]
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[begin : begin + _ROWS_AT_ONCE]
        statement = _insertion_of_many(into, len(some), len(some[0]), behind, database.vendor)
        values = list(chain.from_iterable(some))
        if database.vendor == "postgresql":
            _execute_numbered(database, statement, values)
        else:
            with database.cursor() as cursor:
                cursor.execute(statement, values)


def insert_together(groups: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    """Write rows of several tables, each under what stands before its VALUES; on PostgreSQL by one statement.

    Only groups of as many rows are put together: they belong to the same calls or mails, and so there are few such
    statements, which PostgreSQL keeps prepared.
    """
    database = connections[DEFAULT_DB_ALIAS]
    sizes = {len(rows) for rows in groups.values()}
    if database.vendor != "postgresql" or len(groups) == 1 or len(sizes) != 1 or max(sizes) > _ROWS_AT_ONCE:
        for into, rows in groups.items():
            insert_many(into, rows)
        return
    shapes = tuple((into, len(rows), len(rows[0])) for into, rows in groups.items())
    values = list(chain.from_iterable(chain.from_iterable(groups.values())))
    _execute_numbered(database, _insertion_of_several(shapes), values)


@functools.lru_cache(500)
def _insertion_of_several(shapes: Sequence[tuple[str, int, int]]) -> str:
    """One statement for so many rows of so many columns in each of several tables."""
    places = itertools.count(1)
    *others, last = [
        f"{into} VALUES {', '.join(_numbered(places, columns) for _ in range(rows))}" for into, rows, columns in shapes
    ]
    before = ", ".join(f"w{number} AS ({other})" for number, other in enumerate(others))
    return f"WITH {before} {last}"


@functools.lru_cache(500)
def _insertion_of_many(into: str, rows: int, columns: int, behind: str, vendor: str) -> str:
    """The statement for so many rows of so many columns; its places are numbered for PostgreSQL."""
    places = itertools.count(1)
    each = (_numbered(places, columns) if vendor == "postgresql" else f"({marks(columns)})" for _ in range(rows))
    return f"{into} VALUES {', '.join(each)} {behind}"


def _numbered(places: Iterator[int], columns: int) -> str:
    return f"({', '.join(f'${next(places)}' for _ in range(columns))})"


def _execute_numbered(database: BaseDatabaseWrapper, statement: str, values: Sequence[Any]) -> None:
    """Execute what has numbered places: psycopg looks for `%s` in a statement of many anew each time."""
    import psycopg

    database.ensure_connection()
    with database.wrap_database_errors, psycopg.RawCursor(database.connection) as cursor:
        cursor.execute(statement.encode(), values)


def first(model: type[M], where: str, *values: Any) -> M | None:
    """The first row for which a condition in SQL holds, by its key; like `filter(…).first()`."""
    found = select(model, f"{where} ORDER BY id LIMIT 1", *values)
    return found[0] if found else None


def by_key(model: type[M], keys: Collection[int]) -> dict[Any, M]:
    """The rows with these keys, by their keys; like `in_bulk(keys)`."""
    if not keys:
        return {}
    where, value = among("id", keys)
    return {row.pk: row for row in select(model, where, value)}


def among(column: str, keys: Iterable[int]) -> tuple[str, str]:
    """The condition that a column holds one of these keys, and the value of its mark; the same text for any number."""
    written = ",".join(map(str, keys))  # psycopg takes longer to write a list than PostgreSQL to find its rows.
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        return f"{column} = ANY(%s::bigint[])", f"{{{written}}}"
    return f"{column} IN (SELECT value FROM json_each(%s))", f"[{written}]"  # noqa: S608


def marks(count: int) -> str:
    """So many places for values in a statement."""
    return ", ".join(["%s"] * count)


def plain_octets(cursor: CursorWrapper) -> None:
    """Let PostgreSQL send the octets of rows as they are; else it writes each of them in two digits."""
    if cursor.db.vendor == "postgresql":
        cursor.cursor.format = 1  # psycopg's `Format.BINARY`


def select(model: type[M], where: str, *values: Any) -> list[M]:
    """Every row for which a condition in SQL holds; an order and a limit may stand behind it."""
    return [row for (row,) in joined((model,), f"WHERE {where}", *values)]


def joined(models: tuple[type[Model], ...], rest: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of several models side by side; None where an outer join found none.

    `rest` is the SQL behind the first table, which is `t0`: `JOIN … t1 ON …`, `WHERE …`.
    """
    database = connections[DEFAULT_DB_ALIAS]
    selection, parts, converters = _selection(models, database.vendor)
    with database.cursor() as cursor:
        cursor.execute(f"{selection} {rest}", values)
        rows = [list(row) for row in cursor.fetchall()]
    for at, convert, column in converters:
        for row in rows:
            row[at] = convert(row[at], column, database)
    return [
        tuple(
            None if row[start] is None else _made(model, names, row[start : start + len(names)])
            for model, start, names in parts
        )
        for row in rows
    ]


def _made(model: type[M], names: Sequence[str], values: Sequence[Any]) -> M:
    """What `Model.from_db` gives, made without a call for each value: nothing of ours listens to rows being read."""
    row = model.__new__(model)
    row.__dict__.update(zip(names, values, strict=True))
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return row


def _moment(value: datetime | None, _column: object, _database: object) -> datetime | None:
    """A time from SQLite, where all are UTC without saying so; Django looks up the zone for each of them."""
    return None if value is None else value.replace(tzinfo=UTC)


@functools.cache
def _selection(
    models: tuple[type[Model], ...], vendor: str
) -> tuple[str, Sequence[tuple[type[Model], int, Sequence[str]]], Sequence[tuple[int, _Converter, Any]]]:
    database = connections[DEFAULT_DB_ALIAS]
    columns: list[str] = []
    parts: list[tuple[type[Model], int, Sequence[str]]] = []
    converters: list[tuple[int, _Converter, Any]] = []
    for number, model in enumerate(models):
        fields = model._meta.concrete_fields  # The key comes first.
        parts.append((model, len(columns), [field.attname for field in fields]))
        for field in fields:
            column = field.get_col(model._meta.db_table)
            found = [*database.ops.get_db_converters(column), *column.get_db_converters(database)]
            if vendor == "sqlite" and type(field) is DateTimeField:
                found = [_moment]
            converters += [(len(columns), convert, column) for convert in found]
            columns.append(f't{number}."{field.column}"')
    return f'SELECT {", ".join(columns)} FROM "{models[0]._meta.db_table}" t0', parts, converters  # noqa: S608
