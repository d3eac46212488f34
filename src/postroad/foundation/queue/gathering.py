"""What the mails of a batch leave behind: rows, gathered mail by mail and written together before the commit.

A statement costs more than a row. Outside of a batch nothing is gathered, and rows are written at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection

Row = tuple[Any, ...]

_batch: ContextVar[dict[str, list[Row]] | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering() -> Iterator[None]:
    """Gather rows from here to the end of the block, and write them there; none is written when the block fails."""
    gathered: dict[str, list[Row]] = {}
    token = _batch.set(gathered)
    try:
        yield
    finally:
        _batch.reset(token)
    for statement, rows in gathered.items():
        write(statement, rows)


def write(statement: str, rows: Iterable[Row]) -> None:
    """Write rows by this statement, in a batch together with those of its other mails."""
    gathered = _batch.get()
    if gathered is not None:
        gathered.setdefault(statement, []).extend(rows)
        return
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(rows))


def not_yet_written(statement: str) -> Sequence[Row]:
    """What was gathered for a statement; who reads rows of this batch must look here too."""
    return (_batch.get() or {}).get(statement, ())
