"""Progress of deliveries on disk between two database transactions: what is written here survives a killed process.

The delivery worker appends outcomes as they come, replays them after a crash, and resets the file once the database
has them. One file per process.
"""

import asyncio
import fcntl
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from zlib import crc32

from postroad.foundation.errors import Conflict

Entry = tuple[int, int, int, str]
"""Key of the chunk, number of the recipient in it, reply code, text."""

MAX_TEXT = 1000
"""Octets of a text that are kept."""

_MARK = b"\xf5\xfa"
"""Begins a record; neither octet occurs in UTF-8, so that reading finds its way again behind damage."""
_HEAD = struct.Struct("<2sIH")
"""Mark, checksum of what follows it, length of the text in octets."""
_BODY = struct.Struct("<qIH")
"""Chunk, recipient, code."""
_SIZE = _HEAD.size + _BODY.size
_READ = 1 << 20


class Journal:
    """An append-only file of entries, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the file (readable for its owner only).

        Raises Conflict if another process has it open, OSError if it cannot be opened.
        """
        self.path = path
        self.written = asyncio.Event()
        """Set by every append; whoever brings it to the disk clears it."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            self._file = -1
            raise Conflict(
                f"The delivery journal {path} is in use by another process. "
                "Each delivery process needs its own; stop the other one or give this one another name."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, entries: Iterable[Entry]) -> int:
        """Write the entries at once; they outlive the process from now on, a power cut only after `sync`.

        Says how many bytes they took.

        Raises OSError if the disk does not take all of them; what it took of them stays readable.
        """
        data = b"".join(map(_encode, entries))
        size = len(data)
        if not data:
            return 0
        self.written.set()
        while data:
            data = data[os.write(self._file, data) :]
        return size

    def sync(self) -> None:
        """Make sure that what was appended survives a power cut."""
        os.fdatasync(self._file)

    def replay(self) -> Iterator[Entry]:
        """Read all entries in the order they were written; damaged or half-written records are passed over."""
        held = b""
        offset = 0
        while True:
            block = os.pread(self._file, _READ, offset)
            offset += len(block)
            held += block
            entries, used = _decode(held, last=not block)
            yield from entries
            held = held[used:]
            if not block:
                return

    def reset(self) -> None:
        """Forget all entries, since the database has them."""
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Let the file go for another process; the entries stay."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _encode(entry: Entry) -> bytes:
    chunk, index, code, text = entry
    line = text.encode("utf-8", "replace")
    if len(line) > MAX_TEXT:
        line = line[:MAX_TEXT].decode("utf-8", "ignore").encode()
    body = _BODY.pack(chunk, index, code) + line
    return _HEAD.pack(_MARK, crc32(body, len(line)), len(line)) + body


def _decode(data: bytes, *, last: bool) -> tuple[list[Entry], int]:
    """Find the whole records; also say how many octets need not be looked at again."""
    found: list[Entry] = []
    at = 0
    while (at := data.find(_MARK, at)) >= 0:
        if at + _SIZE > len(data):
            end = len(data) + 1
        else:
            _, checksum, length = _HEAD.unpack_from(data, at)
            end = at + _SIZE + length
        if end > len(data):
            if not last and len(data) - at < _SIZE + MAX_TEXT:
                return found, at
            at += 1
            continue
        body = data[at + _HEAD.size : end]
        if crc32(body, length) != checksum:
            at += 1
            continue
        found.append((*_BODY.unpack_from(body), body[_BODY.size :].decode()))
        at = end
    return found, max(0, len(data) - 1)
