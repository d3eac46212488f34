"""Feeds changed old files to their readers: each gives values or one of its two errors, in bounded time.

.venv/bin/python bench/fuzz_old_files.py pickles 600
.venv/bin/python bench/fuzz_old_files.py mailboxes 600
"""

import io
import pickle
import random
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

from postroad.foundation.errors import BadInput
from postroad.upgrade.importing.pickles import load_each
from postroad.upgrade.mailman2.messages import message_file
from postroad.upgrade.mbox.model import FORMATS
from postroad.upgrade.mbox.scanning import scan

FIXTURE = Path(__file__).parent.parent / "tests/upgrade/mailman2/fixture/m21.tar.xz"
LONGEST = 2.0


def corpus(kind: str) -> list[bytes]:
    wanted = (".pck", ".last") if kind == "pickles" else (".mbox",)
    with tarfile.open(FIXTURE) as tar:
        files = [m for m in tar.getmembers() if m.name.endswith(wanted) and m.size]
        found = [tar.extractfile(m).read()[:60_000] for m in files]  # type: ignore[union-attr]
    if kind == "pickles":
        found += [pickle.dumps({"a": [1, 2.5, "x", b"y", {3}, (None, True)]}, protocol) for protocol in range(6)]
    return found


def changed(chance: random.Random, data: bytes, other: bytes) -> bytes:
    raw = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(raw)) if raw else 0
        match chance.randrange(6):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del raw[at : at + chance.randint(1, 40)]
            case 2:
                raw[at:at] = other[(start := chance.randrange(len(other))) : start + chance.randint(1, 200)]
            case 3:
                raw[at:at] = chance.randbytes(chance.randint(1, 16))
            case 4:
                raw[at:at] = raw[at : at + chance.randint(1, 60)] * chance.randint(2, 30)
            case _:
                del raw[at:]
    return bytes(raw)


def read_pickles(data: bytes) -> None:
    for read in (lambda: list(load_each(data, ("Mailman.*", "email.*"))), lambda: message_file(data)):
        try:
            read()
        except BadInput:
            continue


def read_mailboxes(data: bytes) -> None:
    for form in FORMATS[:-1]:
        for piece in scan(io.BytesIO(data), form):
            assert piece.end > piece.at


def main() -> None:
    kind, seconds = sys.argv[1], float(sys.argv[2])
    read: Callable[[bytes], None] = read_pickles if kind == "pickles" else read_mailboxes
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns()
    chance, files = random.Random(seed), corpus(kind)
    end, tries, slowest = time.monotonic() + seconds, 0, 0.0
    while time.monotonic() < end:
        data = changed(chance, chance.choice(files), chance.choice(files))
        began = time.process_time()
        try:
            read(data)
        except BaseException:
            Path("/tmp/fuzz-found").write_bytes(data)
            print(f"seed {seed}, try {tries}: see /tmp/fuzz-found")
            raise
        slowest = max(slowest, time.process_time() - began)
        assert slowest < LONGEST, f"seed {seed}, try {tries}: took {slowest:.1f} s"
        tries += 1
    print(f"{kind}: {tries:,} files in {seconds:.0f} s, the slowest took {slowest * 1000:.0f} ms; seed {seed}")


if __name__ == "__main__":
    main()
