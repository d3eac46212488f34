"""What may be done to a home only once at a time, by locks that end with their holder and so can never go stale."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from postroad.foundation.errors import Conflict


def _file(home: Path) -> Path:
    return home / "run" / "postroad.pid"


@contextmanager
def alone(home: Path, name: str, complaint: str) -> Iterator[None]:
    """Hold a lock of this home while something runs that must not run twice; the system gives it back at a death.

    Raises:
        Conflict: it is held; `complaint` says what runs.
    """
    file = home / "run" / f"{name}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(complaint) from None
        yield


class Instance:
    """Held by `postroad serve` while it serves a home."""

    def __init__(self, home: Path) -> None:
        """Take the home.

        Raises:
            Conflict: another process serves it already.
        """
        file = _file(home)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._held: IO[str] = file.open("a+", encoding="ascii")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._held.close()
            raise Conflict(f"{home} is served already, by process {running(home)}") from None
        self._held.truncate(0)
        self._held.write(f"{os.getpid()}\n")
        self._held.flush()


def running(home: Path) -> int | None:
    """The process that serves this home, None when nobody does."""
    try:
        with _file(home).open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read().strip()
                return int(text) if text.isdigit() else None
    except OSError:
        return None
    return None
