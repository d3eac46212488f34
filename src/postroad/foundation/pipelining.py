"""Sends PostgreSQL statements one behind the other, without waiting for the answer to each."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def pipelined() -> Iterator[None]:
    """Wait only where rows are read, and for the commit of a transaction inside of the block.

    Whoever waits gives the interpreter away, and gets it back late where other threads have work. A statement that
    fails says so where is waited next; the transaction is undone all the same. SQLite answers at once, as ever.

    https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield
