"""Times as PostgreSQL writes them, read by Python's own parser.

psycopg's parser in C leaves the zone to the connection; Django takes the one in Python to name it, which costs three
microseconds for each time, and a page of fifty mails has a hundred.
"""

from datetime import UTC, datetime

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.abc import Buffer
from psycopg.types.datetime import TimestamptzLoader


class Moment(TimestamptzLoader):
    """A time in UTC, which is the zone of every connection of ours."""

    timezone = UTC

    def load(self, data: Buffer) -> datetime:
        """The time; psycopg tells what is wrong with one that Python has no room for."""
        try:
            return datetime.fromisoformat(bytes(data).decode())
        except ValueError:
            return super().load(data).replace(tzinfo=UTC)


def read_plainly(connection: BaseDatabaseWrapper) -> None:
    """Let a new connection read times so."""
    connection.connection.adapters.register_loader("timestamptz", Moment)
