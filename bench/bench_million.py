"""One post to a list of a million: memory of every process over time, and how long it takes; real site, real sockets.

python bench/bench_million.py [--members 1000000] [--seconds 0]     POSTROAD_TEST_DATABASE=postgresql://… for PostgreSQL

The members are made in SQL. `smtp-sink` of Postfix takes the copies. With --seconds it stops after so many.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from home import add_members

from tests.stories.running_site import Site, free_port

ADDRESS = "million@lists.example.com"
EVERY = 5.0
"""Seconds between two looks at the memory."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=0)
    options = parser.parse_args()
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen([shutil.which("smtp-sink") or "/usr/sbin/smtp-sink", *user, f"127.0.0.1:{port}", "1000"])
    with tempfile.TemporaryDirectory(prefix="postroad-million-") as folder:
        site = Site(Path(folder) / "home", port)
        try:
            site.start()
            site.command("list", "add", ADDRESS)
            began = time.monotonic()
            fill(site, options.members)
            print(f"{options.members:,} members made in {time.monotonic() - began:.0f} s")
            watch(site, options.members, options.seconds)
        finally:
            site.close()
            sink.kill()
            sink.wait()


def fill(site: Site, count: int) -> None:
    """Make the members in the site's database."""
    os.environ["POSTROAD_HOME"] = str(site.home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "postroad.project.settings"
    os.environ.pop("POSTROAD_DATABASE_URL", None)
    import django

    django.setup()
    from postroad.community.lists.models import MailingList

    add_members(MailingList.objects.get().pk, count)


def watch(site: Site, count: int, seconds: float) -> None:
    """Post once, and look at the memory until everybody has a copy."""
    from postroad.foundation.queue.models import Job
    from postroad.mailflow.delivery.models import Chunk, Dispatch

    raw = f"From: a@example.org\r\nTo: {ADDRESS}\r\nSubject: to all\r\n\r\n".encode() + b"A line of the post.\r\n" * 100
    site.command("list", "set", ADDRESS, "default_nonmember_action=accept")
    print(f"{'seconds':>8}{'copies':>10}{'copies/s':>10}   MB PSS: {'  '.join(sorted(pss(site)))}  all")
    show(0.0, 0, pss(site))
    began = time.monotonic()
    site.post("a@example.org", ADDRESS, raw)
    copies = 0
    while copies < count and not (seconds and time.monotonic() - began > seconds):
        time.sleep(EVERY)
        copies = Chunk.objects.filter(done=True).count() * 500
        show(time.monotonic() - began, min(copies, count), pss(site))
        if Dispatch.objects.filter(all_cut=True).exists() and not Job.objects.filter(queue="delivery").exists():
            break


def pss(site: Site) -> dict[str, float]:
    """Proportional share of memory of each process, in megabytes."""
    assert site.process is not None
    found = {}
    for name, pid in {"parent": site.process.pid, **site.roles()}.items():
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        found[name] = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return found


def show(seconds: float, copies: int, memory: dict[str, float]) -> None:
    rate = copies / seconds if seconds else 0
    each = "  ".join(f"{memory[name]:{max(6, len(name))}.1f}" for name in sorted(memory))
    print(f"{seconds:8.0f}{copies:10,}{rate:10,.0f}            {each}  {sum(memory.values()):.1f}", flush=True)


if __name__ == "__main__":
    main()
