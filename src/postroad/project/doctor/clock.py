"""Is the clock right? Keys in addresses, time-outs and dates of mail go by it."""

import ctypes
import time
from collections.abc import Iterator

from django.db import connection

from postroad.project.doctor.finding import Finding, bad, note, ok

MOST_SECONDS = 5.0
_UNSYNCHRONISED = 5
"""What adjtimex(2) returns when the kernel knows of no time source: TIME_ERROR."""
_LARGEST_TIMEX = 512
"""Bytes of `struct timex`, with room to spare; all zero only asks."""


def look() -> Iterator[Finding]:
    """The kernel's word, and the database's clock when that is another machine's."""
    if _kernel_state() == _UNSYNCHRONISED:
        yield note("the clock follows no time server", "Run chrony or systemd-timesyncd")
    else:
        yield ok("the clock follows a time server")
    if connection.vendor == "postgresql":
        yield _database_clock()


def _kernel_state() -> int:
    """0 to 4 where the clock is kept; on another system than Linux, 0."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_LARGEST_TIMEX)))
    except (OSError, AttributeError):
        return 0


def _database_clock() -> Finding:
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        there = float(cursor.fetchone()[0])
    seconds = there - (before + time.time()) / 2
    if abs(seconds) > MOST_SECONDS:
        return bad(f"the database's clock differs by {seconds:+.0f} s", "Let both machines follow a time server")
    return ok("the database's clock agrees")
