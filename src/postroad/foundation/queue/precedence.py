"""Who writes next: accepting mail goes before working on it, and the processes of a home take turns.

A sender waits for the 250, the queue does not. SQLite lets one writer in at a time and lets the others knock at growing
intervals; without an order, a busy worker would keep senders and delivery waiting for tenths of seconds. PostgreSQL
needs no turns; there only the precedence inside the process counts.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from postroad.foundation.configuration import current

QUIET = 0.01
"""Seconds without a mail coming in after which work goes on, when mails come one after the other."""
MOST_PATIENCE = 0.2
"""Seconds after which a piece of work is done though mail keeps coming in."""

HAND_OVER = 0.0005
"""Seconds in which another process that waits for its turn can take it."""

_turn = threading.Condition()
_locks: dict[int, int] = {}
_urgent = 0
_overdue = 0
_busy = False
_last_urgent = 0.0
_is_pouring = False
"""Whether the last mail came soon after the one before; a lonely one is worked on at once."""


@contextmanager
def in_turn() -> Iterator[None]:
    """Write when the other processes of this home have had their turn; one thread of a process at a time."""
    if connection.vendor != "sqlite":
        yield
        return
    lock = _lock()
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)


def _lock() -> int:
    """The lock file as this process has it open; a forked one opens its own."""
    pid = os.getpid()
    if pid not in _locks:
        path = current().home / "run" / "write.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        _locks[pid] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return _locks[pid]


def is_awaited() -> bool:
    """Whether somebody in this process waits to accept mail."""
    return _urgent > 0


@contextmanager
def urgent() -> Iterator[None]:
    """Hold the database for accepting mail; waits for the piece of work in hand at most."""
    global _urgent, _busy, _last_urgent, _is_pouring
    with _turn:
        _urgent += 1
        _turn.wait_for(lambda: not _busy and not _overdue)
        _busy = True
    try:
        with in_turn():
            yield
    finally:
        with _turn:
            _urgent -= 1
            _busy = False
            now = time.monotonic()
            _is_pouring, _last_urgent = now - _last_urgent < MOST_PATIENCE, now
            _turn.notify_all()


def _may_be_followed() -> bool:
    """Whether the next mail of a stream is to be expected at any moment."""
    return _is_pouring and time.monotonic() - _last_urgent < QUIET


@contextmanager
def patient() -> Iterator[None]:
    """Hold the database for a piece of work; lets those who accept mail go first, but not for ever."""
    global _busy, _overdue
    end = time.monotonic() + MOST_PATIENCE
    with _turn:
        while time.monotonic() < end and (_busy or _urgent or _may_be_followed()):
            _turn.wait(QUIET)
        _overdue += 1
        _turn.wait_for(lambda: not _busy)
        _overdue -= 1
        _busy = True
    try:
        with in_turn():
            yield
    finally:
        with _turn:
            _busy = False
            _turn.notify_all()
        if connection.vendor == "sqlite":
            time.sleep(HAND_OVER)
