"""Waking the workers: nobody polls. Datagrams in the home on SQLite, LISTEN/NOTIFY on PostgreSQL.

A wake-up may be lost (a worker that is just starting), so waiters look once after they opened, and the longest
wait is bounded. Only who works on a queue hears of it: a woken thread takes the interpreter from those that work.
"""

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from postroad.foundation.configuration import current
from postroad.foundation.instance import lives
from postroad.foundation.queue import memory

CHANNEL = "postroad"
MOST_OF_A_PATH = 100


def notify(queue: str) -> None:
    """Wake the workers of a queue when the present transaction commits."""
    if connection.vendor == "postgresql":
        memory.once(("woken", queue), lambda: _notify_postgresql(queue))
        return
    # One datagram for a queue and transaction is enough: on_commit callbacks of a batch are many.
    key = _Pending(queue)
    if any(entry[1] == key for entry in connection.run_on_commit):
        return
    transaction.on_commit(key)


def _notify_postgresql(queue: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", (_channel(queue),))


def _channel(queue: str) -> str:
    return f"{CHANNEL}:{queue}"


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
        for path in folder.glob(f"{queue}@*"):
            try:
                with _reachable(path) as name:
                    sender.sendto(queue.encode(), name)
            except BlockingIOError:
                pass  # Its buffer is full of wake-ups already.
            except OSError:
                _forget_if_dead(path)


def _forget_if_dead(path: Path) -> None:
    """Remove the socket of a process that is no more, under this name and its own."""
    own = path.name.partition("@")[2]
    pid = own.split(".")[-2]
    if pid.isdigit() and not lives(int(pid)):
        path.unlink(missing_ok=True)
        path.with_name(own).unlink(missing_ok=True)


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """A name of this socket that fits into the 107 bytes of unix(7), however deep the home lies."""
    if len(os.fsencode(path)) <= MOST_OF_A_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class Wakeup:
    """One worker's ear: `wait()` blocks until one of its queues is written to, or a time is over.

    An event loop attaches itself instead of waiting. On PostgreSQL a connection of its own LISTENs; when that is lost,
    `listen()` (which `wait()` calls) opens it anew.
    """

    def __init__(self, name: str, queues: Sequence[str]) -> None:
        self._queues = queues
        folder, own = current().home / "run", f"{name}.{os.getpid()}.wake"
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / own
        self._names = [folder / f"{queue}@{own}" for queue in queues]
        self._forget_names()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with _reachable(self._path) as name_of_socket:
            self._socket.bind(name_of_socket)
        for path in self._names:
            path.hardlink_to(self._path)
        self._socket.setblocking(False)
        self._listener: Any = None
        self._ear = -1
        """The listener's descriptor, which a lost connection does not tell any more."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heard: Callable[[], object] = self.drain
        self.listen()

    def listen(self) -> bool:
        """LISTEN on PostgreSQL, unless that is done; whether it had to be, so that something may have been missed.

        Raises:
            OperationalError: the database is away.
        """
        if connection.vendor != "postgresql" or self._listener is not None:
            return False
        import psycopg

        parameters = connection.get_connection_params()
        wanted = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if parameters.get(key)}
        with connection.wrap_database_errors:
            listener = psycopg.connect(**wanted, autocommit=True)
            for queue in self._queues:
                listener.execute(f'LISTEN "{_channel(queue)}"')
        self._listener, self._ear = listener, listener.fileno()
        if self._loop is not None:  # Whose thread this may not be.
            self._loop.call_soon_threadsafe(self._loop.add_reader, self._ear, self._heard)
        return True

    def attach(self, loop: asyncio.AbstractEventLoop, heard: Callable[[], object]) -> None:
        """Call `heard` from the event loop at every wake-up; it must `drain()`."""
        self._loop, self._heard = loop, heard
        for descriptor in self._descriptors():
            loop.add_reader(descriptor, heard)

    def _descriptors(self) -> list[int]:
        return [self._socket.fileno(), *([self._ear] if self._listener else [])]

    def wait(self, timeout: float | None) -> set[str]:
        """Block until woken or `timeout` seconds are over; the queues that were written to.

        Raises:
            OperationalError: the database is away, so no wake-up could come from it.
        """
        if not self.listen():
            select.select(self._descriptors(), [], [], timeout)
        return self.drain()

    def drain(self) -> set[str]:
        """Take all waiting wake-ups without blocking."""
        queues: set[str] = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                queues.add(self._socket.recv(64).decode())
        if self._listener is not None:
            try:
                notices = self._listener.notifies(timeout=0)
                queues.update(notice.channel.partition(":")[2] for notice in notices)
            except Exception:  # noqa: BLE001 — the server went away; `listen()` begins anew
                self._stop_listening()
        return queues

    def _stop_listening(self) -> None:
        if self._listener is None:
            return
        if self._loop is not None:  # Else the next connection, under the same number, would be taken for this one.
            self._loop.remove_reader(self._ear)
        with contextlib.suppress(Exception):
            self._listener.close()
        self._listener = None

    def wake(self) -> None:
        """Wake this waiter itself, from another thread of the process."""
        with (
            contextlib.suppress(OSError),
            _reachable(self._path) as name,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
        ):
            sender.sendto(b"", name)

    def close(self) -> None:
        """Stop listening."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
        self._stop_listening()
        self._socket.close()
        self._forget_names()

    def _forget_names(self) -> None:
        for path in (self._path, *self._names):
            path.unlink(missing_ok=True)
