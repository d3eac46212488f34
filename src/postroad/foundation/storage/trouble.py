"""What a write that failed means to the one who asked for it: there is no room, or the database is away."""

import errno
import sqlite3

from postroad.foundation.errors import StorageFull, TryLater

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def meaning(error: BaseException) -> TryLater:
    """The error people are shown for a write that may work later; `StorageFull` where the disk is what is wrong."""
    cause: BaseException | None = error
    while cause is not None:
        if _tells_of_a_full_disk(cause):
            return StorageFull("There is no room left on the disk; free some, and it goes on by itself.")
        cause = cause.__cause__ or cause.__context__
    return TryLater("It cannot be stored just now, please try again.")


def _tells_of_a_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error, "sqlstate", None) == "53100"  # PostgreSQL: disk_full
