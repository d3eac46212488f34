"""Waking the workers: nobody polls. Datagrams in the home on SQLite, LISTEN/NOTIFY on PostgreSQL.

A wake-up may be lost (a worker that is just starting), so waiters look once after they opened, and the longest
wait is bounded.
"""

import contextlib
import os
import select
import socket
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from postroad.foundation.configuration import current

CHANNEL = "postroad"


def notify(queue: str) -> None:
    """Wake the workers of a queue when the present transaction commits."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, queue))
        return
    # One datagram for a queue and transaction is enough: on_commit callbacks of a batch are many.
    key = _Pending(queue)
    if any(entry[1] == key for entry in connection.run_on_commit):
        return
    transaction.on_commit(key)


class _Pending:
    """A wake-up that waits for the commit; equal ones are sent once."""

    def __init__(self, queue: str) -> None:
        self.queue = queue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pending) and other.queue == self.queue

    def __hash__(self) -> int:
        return hash(self.queue)

    def __call__(self) -> None:
        _send(self.queue)


def _send(queue: str) -> None:
    folder = current().home / "run"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for path in folder.glob("*.wake"):
            try:
                sender.sendto(queue.encode(), str(path))
            except BlockingIOError:
                pass  # Its buffer is full of wake-ups already.
            except OSError:
                _forget_if_dead(path)


def _forget_if_dead(path: Path) -> None:
    """Remove the socket of a process that is no more."""
    pid = path.name.split(".")[-2]
    if pid.isdigit() and not Path(f"/proc/{pid}").exists():
        path.unlink(missing_ok=True)


class Wakeup:
    """One worker's ear: `wait()` blocks until a queue of its own is written to, or a time is over."""

    def __init__(self, name: str) -> None:
        self._path = current().home / "run" / f"{name}.{os.getpid()}.wake"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        # The path of a Unix socket may have 107 bytes; a deep home is reached through /proc.
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._socket.setblocking(False)
        self._listener: Any = None
        if connection.vendor == "postgresql":
            self._listen()

    def _listen(self) -> None:
        """Open the connection that LISTENs; it serves nothing else."""
        import psycopg

        parameters = connection.get_connection_params()
        wanted = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if parameters.get(key)}
        self._listener = psycopg.connect(**wanted, autocommit=True)
        self._listener.execute(f"LISTEN {CHANNEL}")

    def filenos(self) -> list[int]:
        """File descriptors that become readable at a wake-up, for an event loop."""
        return [self._socket.fileno(), *([self._listener.fileno()] if self._listener else [])]

    def wait(self, timeout: float | None) -> set[str]:
        """Block until woken or `timeout` seconds are over; the queues that were written to."""
        try:
            select.select(self.filenos(), [], [], timeout)
        except (OSError, ValueError):
            self._reconnect()
        return self.drain()

    def drain(self) -> set[str]:
        """Take all waiting wake-ups without blocking."""
        queues: set[str] = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                queues.add(self._socket.recv(64).decode())
        if self._listener is not None:
            try:
                queues.update(notice.payload for notice in self._listener.notifies(timeout=0))
            except Exception:  # noqa: BLE001 — the server went away; whatever it said, look and listen anew
                self._reconnect()
        return queues

    def _reconnect(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(Exception):
                self._listener.close()
            with contextlib.suppress(Exception):
                self._listen()

    def wake(self) -> None:
        """Wake this waiter itself, from another thread of the process."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", str(self._path))

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self._path.unlink(missing_ok=True)
        if self._listener is not None:
            self._listener.close()
