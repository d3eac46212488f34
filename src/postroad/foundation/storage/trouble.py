"""What a failed write tells: there is no room, the database is away, or this very write is what it refuses."""

import errno
import sqlite3

from postroad.foundation.errors import StorageFull, TryLater

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_SQLITE_TROUBLE = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
})  # fmt: skip
_POSTGRESQL_TROUBLE = ("08", "53", "57P", "58")
"""Classes of SQLSTATE: no connection, no room or memory, a shutdown, the system below."""


def meaning(error: BaseException) -> TryLater:
    """The error people are shown for a write that may work later; `StorageFull` where the disk is what is wrong."""
    cause: BaseException | None = error
    while cause is not None:
        if _tells_of_a_full_disk(cause):
            return StorageFull("There is no room left on the disk; free some, and it goes on by itself.")
        cause = cause.__cause__ or cause.__context__
    return TryLater("It cannot be stored just now, please try again.")


def is_the_databases_own(error: BaseException) -> bool:
    """Whether the database is in trouble whatever it is asked; else the statement, and who made it, may be at fault."""
    cause = error.__cause__ or error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_TROUBLE
    state = getattr(cause, "sqlstate", None)
    return state is None or state.startswith(_POSTGRESQL_TROUBLE)


def _tells_of_a_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error, "sqlstate", None) == "53100"  # PostgreSQL: disk_full
