"""How long the first copy takes on a site that does nothing else: from the 250 of a post to the relay having its copy.

    .venv/bin/python bench/bench_latency.py [--posts 200]     POSTROAD_TEST_DATABASE=postgresql://… for PostgreSQL

Real site, real sockets, a list of one member; between two posts the site rests for a random while.
"""

import argparse
import random
import smtplib
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.stories.running_site import Site
from tests.stories.sink import Sink

LIST, MEMBER = "dogs@lists.example.com", "anne@example.net"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=200)
    options = parser.parse_args()
    chance, sink = random.Random(7), Sink()
    with tempfile.TemporaryDirectory(prefix="postroad-latency-") as folder:
        site = Site(Path(folder) / "home", sink.port)
        try:
            site.start()
            site.command("list", "add", LIST)
            site.command("member", "add", "--no-welcome", LIST, given=f"{MEMBER}\n")
            waits = [after(site, sink, number, chance) for number in range(options.posts + 5)][5:]
        finally:
            site.close()
            sink.close()
    cuts = statistics.quantiles(waits, n=100)
    print(f"{'posts':>6}{'p50':>10}{'p95':>10}{'p99':>10}{'most':>10}")
    print(f"{len(waits):>6}" + "".join(f"{t * 1000:>7.1f} ms" for t in (cuts[49], cuts[94], cuts[98], max(waits))))


def after(site: Site, sink: Sink, number: int, chance: random.Random) -> float:
    """Seconds from the 250 to the copy's arrival."""
    time.sleep(chance.uniform(0.05, 0.25))
    text = f"From: {MEMBER}\r\nTo: {LIST}\r\nSubject: {number}\r\nMessage-ID: <{number}@bench>\r\n\r\nhello\r\n"
    with smtplib.LMTP("127.0.0.1", site.lmtp_port) as lmtp:
        lmtp.sendmail(MEMBER, [LIST], text.encode())
        accepted = time.monotonic()
        arrived = sink.wait_for(number + 1)[-1].at
    return max(0.0, arrived - accepted)


if __name__ == "__main__":
    main()
