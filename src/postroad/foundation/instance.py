"""Which process serves a home: a file with its number, locked for as long as it lives, so it can never go stale."""

import fcntl
import os
from pathlib import Path
from typing import IO

from postroad.foundation.errors import Conflict


def _file(home: Path) -> Path:
    return home / "run" / "postroad.pid"


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
