"""Remembers the order of a collection for programs that read it page by page, as long as nothing at all was written.

A page far behind costs a walk over all before it, and its total a walk over everything. Who asks for the same
collection twice while the database stays as it is will ask again: then all keys are read once, and each further page is
a piece of them. While others write, nothing is remembered.

Whether the database is still as it was is not asked beforehand: the statement that reads the rows of a page says in
which state it found the database, and when that is another one, its page is thrown away.
"""

import threading
from array import array
from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

MOST_KEYS = 1_000_000
"""That one thread remembers: 8 MB."""
MOST_QUESTIONS = 1000

_Question = tuple[str, tuple[Any, ...]]
State = tuple[object, str]
"""Of which connection: what SQLite counts begins anew with each."""

_STATE = {
    # Which transactions are over, and which are not: whoever ends one changes it.
    "postgresql": "(SELECT pg_current_snapshot()::text)",
    # https://www.sqlite.org/pragma.html#pragma_data_version does not count what this connection writes itself.
    "sqlite": "(SELECT total_changes() || ' ' || data_version FROM pragma_data_version)",
}


class _Walks(threading.local):
    """What was asked since the database came into its present state, and the keys of what was asked twice."""

    state: "State | None"
    keys: dict[_Question, "array[int] | None"]

    def __init__(self) -> None:
        self.begin(None)

    def begin(self, state: "State | None") -> None:
        """The database is another one now."""
        self.state, self.keys = state, {}


_walks = _Walks()


def walk(statement: str, values: Sequence[Any]) -> "Sequence[int] | None":
    """All keys a statement gives, in its order; None when it was not asked before with the database as it is now.

    They may be out of date: believe rows that were read by them only when they `came_in` the state of the walk.
    """
    if connection.in_atomic_block:
        return None  # Its own changes count too.
    question = (statement, tuple(values))
    known = _walks.keys.get(question)
    if known is not None:
        return known
    now = present()
    if now != _walks.state or len(_walks.keys) > MOST_QUESTIONS:
        _walks.begin(now)
    if question not in _walks.keys:
        _walks.keys[question] = None
        return None
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        known = array("q", (key for (key,) in cursor.fetchall()))
    if len(known) + sum(len(keys or ()) for keys in _walks.keys.values()) <= MOST_KEYS:
        _walks.keys[question] = known
    return known


def state() -> str:
    """An expression in SQL: equal as long as nothing is committed that its statement can see."""
    return _STATE[connection.vendor]


def came_in(states: Collection[str]) -> bool:
    """Whether the statements that read a page found the database in the state of the walk; if not, the walk is over.

    Without a row there is no state that came with it, and it is asked for.
    """
    seen = {(connection.connection, state) for state in states} or {present()}
    if seen == {_walks.state}:
        return True
    _walks.begin(None)
    return False


def present() -> State:
    """The state of the database just now: equal as long as nothing at all is committed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {state()}")
        seen = cursor.fetchone()[0]
    return connection.connection, seen
