"""What may be done to a home only once at a time, by locks that end with their holder and so can never go stale."""

import fcntl
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from postroad.foundation.errors import Conflict

log = logging.getLogger("postroad.instance")

STOP_SECONDS = 30
"""How long a process of `postroad serve` may take to finish what it has in hand."""


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
            process = running(home)
            if process is None or lives(process) or not self._is_given_back(process):
                self._held.close()
                raise Conflict(f"{home} is served already, by process {process}") from None
        self._held.truncate(0)
        self._held.write(f"{os.getpid()}\n")
        self._held.flush()

    def _is_given_back(self, process: int) -> bool:
        """Wait for the roles of a killed supervisor, which hold the home until they have finished."""
        log.warning("process %d was killed; waiting for its processes to end", process)
        return wait_for(self._held.fileno(), STOP_SECONDS + 5)


def wait_for(lock: int, seconds: int) -> bool:
    """Whether a lock, by its descriptor, came free within so many seconds and is taken now; for the main thread."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except TimeoutError:
        return False
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return True


def lives(process: int) -> bool:
    """Whether there is a process of this number, whoever's it is."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


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
