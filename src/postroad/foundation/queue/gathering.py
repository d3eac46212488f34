"""What a call, or the mails of a batch, leave behind: rows, gathered and written together before the commit.

A statement costs more than a row. Outside of a batch nothing is gathered, and rows are written at once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection
from django.db.models import Model

from postroad.foundation.rows import insert_many, insert_together, row_of

Row = tuple[Any, ...]
_Way = Callable[[str, Sequence[Row]], None]

_batch: ContextVar[dict[tuple[_Way, str], list[Row]] | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering() -> Iterator[None]:
    """Gather rows from here to the end of the block, and write them there; none is written when the block fails."""
    gathered: dict[tuple[_Way, str], list[Row]] = {}
    token = _batch.set(gathered)
    try:
        yield
    finally:
        _batch.reset(token)
    insert_together({into: rows for (way, into), rows in gathered.items() if way is insert_many and rows})
    for (way, statement), rows in gathered.items():
        if way is not insert_many:
            way(statement, rows)


def add(model: type[Model], **given: Any) -> None:
    """Write a new row of these values, all others by default, whose key nobody needs to know.

    Raises:
        TypeError: a value for something that is no column.
    """
    into, row = row_of(model, **given)
    insert(into, [row])


def insert(into: str, rows: Iterable[Row]) -> None:
    """Write new rows by `INSERT INTO table (columns)`, in a batch together with those of its other mails."""
    _write(insert_many, into, rows)


def update(statement: str, rows: Iterable[Row]) -> None:
    """Change rows by this statement for each, in a batch together with those of its other mails."""
    _write(_for_each, statement, rows)


def _write(way: _Way, statement: str, rows: Iterable[Row]) -> None:
    gathered = _batch.get()
    if gathered is not None:
        gathered.setdefault((way, statement), []).extend(rows)
    else:
        way(statement, list(rows))


def _for_each(statement: str, rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def not_yet_inserted(into: str) -> Sequence[Row]:
    """What was gathered for a table; who reads rows of this batch must look here too."""
    return (_batch.get() or {}).get((insert_many, into), ())
