"""Moves a made-up Mailman 3 site in, twice: `bench_import_mailman3.py [SCALE] [DATABASE-URL]`.

A scale of 1 is 1,000 lists, 100,000 members, 300,000 mails. Tells the seconds of the first run and of a second, which
finds nothing to do, and the largest memory of a process.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from old_mailman3 import make


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
            run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            seconds = time.monotonic() - started
            if "-v" in sys.argv:
                print(run.stderr)
            if run.returncode not in (0, 1):
                sys.exit(run.stderr)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{name:12}{seconds:8.1f} s  {peak:6.0f} MB  (scale {scale})")


if __name__ == "__main__":
    numbers = [a for a in sys.argv[1:] if not a.startswith("-")]
    main(float(numbers[0]) if numbers else 0.05, *numbers[1:])
