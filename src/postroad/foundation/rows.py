"""Reads and writes single rows of a model with SQL that was made once; Django's ORM makes it anew for each row.

For what is done for every mail and every call. Nothing else is different: fields adapt their values, rows are models.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model

M = TypeVar("M", bound=Model)
_Converter = Callable[[Any, Any, Any], Any]


def insert(row: M) -> M:
    """Write a new row and give it the key it got; like `save(force_insert=True)`, without signals."""
    database = connections[DEFAULT_DB_ALIAS]
    sql, fields = _insertion(type(row), database.vendor)
    values = []
    for field in fields:
        value = field.pre_save(row, True)
        values.append(value if value is None else field.get_db_prep_save(value, database))
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        (row.pk,) = cursor.fetchone()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return row


@functools.cache
def _insertion(model: type[Model], vendor: str) -> tuple[str, Sequence["Field[Any, Any]"]]:
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    columns, marks = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks}) RETURNING id', fields  # noqa: S608


def first(model: type[M], where: str, *values: Any) -> M | None:
    """The first row for which a condition in SQL holds, by its key; like `filter(…).first()`."""
    database = connections[DEFAULT_DB_ALIAS]
    sql, names, converters = _selection(model, where, database.vendor)
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    if row is None:
        return None
    cells = list(row)
    for at, convert, column in converters:
        cells[at] = convert(cells[at], column, database)
    return model.from_db(DEFAULT_DB_ALIAS, names, cells)


@functools.cache
def _selection(
    model: type[Model], where: str, vendor: str
) -> tuple[str, Sequence[str], Sequence[tuple[int, _Converter, Any]]]:
    database, table = connections[DEFAULT_DB_ALIAS], model._meta.db_table
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    converters: list[tuple[int, _Converter, Any]] = []
    for at, field in enumerate(fields):
        column = field.get_col(table)
        found = (*database.ops.get_db_converters(column), *column.get_db_converters(database))
        converters += [(at, convert, column) for convert in found]
    sql = f'SELECT {columns} FROM "{table}" WHERE {where} ORDER BY id LIMIT 1'  # noqa: S608
    return sql, [field.attname for field in fields], converters
