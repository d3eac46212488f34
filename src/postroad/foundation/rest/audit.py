"""Writes the audit log: a change in the transaction that makes it; reading and refused calls once a second, together.

Reads are many and change nothing, so they must not wait for the disk; a crash may lose the last second of them.
"""

import threading
import time
from typing import Any, Protocol

from django.db import DatabaseError, connection
from django.http import HttpRequest

from postroad.foundation.queue.gathering import add
from postroad.foundation.rest.models import Call

_Line = tuple[str, str, str, str, int]

GATHER_SECONDS = 1.0
KEPT_DAYS = 90
MOST_WAITING = 50_000


class Named(Protocol):
    """Whoever calls has a name."""

    name: str


class _Waiting:
    """Calls that are not written yet, equal ones counted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.some = threading.Event()
        self.lines: dict[_Line, int] = {}

    def add(self, line: _Line) -> None:
        with self.lock:
            if line in self.lines or len(self.lines) < MOST_WAITING:
                self.lines[line] = self.lines.get(line, 0) + 1
        self.some.set()

    def taken(self) -> dict[_Line, int]:
        with self.lock:
            lines, self.lines = self.lines, {}
            self.some.clear()
        return lines


_waiting = _Waiting()


def note_call(caller: Named, request: HttpRequest, arguments: dict[str, Any], status: int) -> None:
    """Note one call; a change that succeeded is written at once, in the present transaction."""
    list_id = str(arguments.get("list_id", ""))[:255]
    line = (caller.name, str(request.method), request.path_info.replace("\0", "?")[:500], list_id, status)
    if status < 400 and request.method != "GET":
        add(Call, **_columns(line, 1))
    else:
        _waiting.add(line)


def note_refused(caller: Named, request: HttpRequest) -> None:
    """Note a call without a right credential; the address is left out, or a guesser could fill the table."""
    _waiting.add((caller.name, str(request.method)[:8], "", "", 401))


def flush() -> int:
    """Write what waits; how many lines."""
    lines = _waiting.taken()
    if lines:
        Call.objects.bulk_create([Call(**_columns(line, times)) for line, times in lines.items()])
    return len(lines)


def _columns(line: _Line, times: int) -> dict[str, Any]:
    caller, method, path, list_id, status = line
    return {
        "at": time.time(), "caller": caller, "method": method, "path": path, "list_id": list_id, "status": status,
        "times": times,
    }  # fmt: skip


def forget_old_calls() -> None:
    """Drop what is older than `KEPT_DAYS`."""
    Call.objects.filter(at__lt=time.time() - KEPT_DAYS * 86_400).delete()


class Writer(threading.Thread):
    """Flushes once a second while there are calls, and sleeps while there are none."""

    def __init__(self) -> None:
        super().__init__(name="audit", daemon=True)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Write until stopped."""
        while not self._stopping.is_set():
            _waiting.some.wait()
            self._stopping.wait(GATHER_SECONDS)
            try:
                flush()
            except DatabaseError:
                connection.close()
        connection.close()

    def stop(self) -> None:
        """Write the rest and end."""
        self._stopping.set()
        _waiting.some.set()
        self.join(10)
