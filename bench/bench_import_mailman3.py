"""Moves a made-up Mailman 3 site in, twice: `bench_import_mailman3.py [SCALE] [DATABASE-URL]`.

A scale of 1 is 1,000 lists, 100,000 members, 300,000 mails. Tells the seconds of the first run and of a second, which
finds nothing to do, and the most memory of the importing process, looked at ten times a second: anonymous memory,
without the files it maps. With `-v`, what each step took and the most memory until it was over.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from old_mailman3 import make


class Memory:
    """Looks at a process until it ends."""

    def __init__(self, pid: int) -> None:
        self.peak = 0.0
        """The most anonymous memory so far, in MB."""
        threading.Thread(target=self._look, args=(Path(f"/proc/{pid}/smaps_rollup"),), daemon=True).start()

    def _look(self, file: Path) -> None:
        while True:
            try:
                lines = file.read_text().splitlines()
            except OSError:
                return
            anonymous = [int(line.split()[1]) for line in lines if line.startswith("Anonymous:")]
            self.peak = max(self.peak, *(kb / 1024 for kb in anonymous), 0.0)
            time.sleep(0.1)


def main(scale: float, url: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        old, home = Path(folder) / "old", Path(folder) / "home"
        make(old, scale)
        command = [
            str(Path(sys.executable).with_name("postroad")), "import", "mailman3", "--home", str(home),
            "--cfg", str(old / "mailman.cfg"), "--settings", str(old / "settings.py"), "--jobs", "2",
        ]  # fmt: skip
        environment = {**os.environ, **({"POSTROAD_DATABASE_URL": url} if url else {})}
        for name in ("first run", "second run"):
            started = time.monotonic()
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            memory = Memory(process.pid)
            told = []
            assert process.stderr is not None
            for line in process.stderr:
                told.append(line)
                if "-v" in sys.argv:
                    print(f"{line.rstrip()}  {memory.peak:6.0f} MB")
            if process.wait() not in (0, 1):
                sys.exit("".join(told))
            seconds = time.monotonic() - started
            print(f"{name:12}{seconds:8.1f} s  {memory.peak:6.0f} MB  (scale {scale})")


if __name__ == "__main__":
    numbers = [a for a in sys.argv[1:] if not a.startswith("-")]
    main(float(numbers[0]) if numbers else 0.05, *numbers[1:])
