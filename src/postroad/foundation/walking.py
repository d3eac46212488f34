"""Remembers the order of a collection for programs that read it page by page, as long as nothing at all was written.

A page far behind costs a walk over all before it, and its total a walk over everything. Who asks for the same
collection twice while the database stays as it is will ask again: then all keys are read once, and each further page is
a piece of them. While others write, nothing is remembered.
"""

import threading
from array import array
from collections.abc import Sequence
from typing import Any

from django.db import connection

MOST_KEYS = 1_000_000
"""That one thread remembers: 8 MB."""
MOST_QUESTIONS = 1000

_Question = tuple[str, tuple[Any, ...]]


class _Walks(threading.local):
    """What was asked since the database came into its present state, and the keys of what was asked twice."""

    state: object = None
    keys: dict[_Question, "array[int] | None"]

    def begin(self, state: object) -> None:
        """The database is another one now."""
        self.state, self.keys = state, {}


_walks = _Walks()


def walk(statement: str, values: Sequence[Any]) -> "Sequence[int] | None":
    """All keys a statement gives, in its order; None when it was not asked before with the database as it is now."""
    state = _state()
    if state is None:
        return None
    if state != _walks.state or len(_walks.keys) > MOST_QUESTIONS:
        _walks.begin(state)
    question = (statement, tuple(values))
    if question not in _walks.keys:
        _walks.keys[question] = None
        return None
    known = _walks.keys[question]
    if known is None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            known = array("q", (key for (key,) in cursor.fetchall()))
        if len(known) + sum(len(keys or ()) for keys in _walks.keys.values()) <= MOST_KEYS:
            _walks.keys[question] = known
    return known


def _state() -> object:
    """Equal as long as nothing is committed that this connection can see; None where its own changes count too."""
    if connection.in_atomic_block:
        return None
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Which transactions are over, and which are not: whoever ends one changes it.
            cursor.execute("SELECT txid_current_snapshot()::text")
            return cursor.fetchone()[0]
        # https://www.sqlite.org/pragma.html#pragma_data_version does not count what this connection writes itself.
        cursor.execute("PRAGMA data_version")
        return connection.connection, connection.connection.total_changes, cursor.fetchone()[0]
