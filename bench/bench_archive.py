"""An old archive is imported: mails a second with threads and search, the index's size, and searches.

    .venv/bin/python bench/bench_archive.py [--mbox FILE] [--messages 3000] [--chain] [--home DIR]

Without --mbox, mails of our own making: threads of up to 30, 150 words each; with --chain each answers the one before,
and half of them stand before what they answer.
"""

import argparse
import os
import random
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from home import fresh_home

parser = argparse.ArgumentParser()
parser.add_argument("--mbox")
parser.add_argument("--messages", type=int, default=3000)
parser.add_argument("--home", default="")
parser.add_argument("--chain", action="store_true")
parser.add_argument("--common", default="release")
parser.add_argument("--rare", default="xylozorphic")


def made(count: int) -> Iterator[bytes]:
    chance = random.Random(7)
    words = [f"word{i}" for i in range(5000)]
    weights = [1 / (i + 2) for i in range(5000)]
    names: list[str] = []
    for number in range(count):
        if number % 30 == 0:
            names = []
        parent = chance.choice(names) if names else ""
        name = f"<{number}@bench.example.org>"
        names.append(name)
        text = " ".join(chance.choices(words, weights, k=150))
        extra = "release" if number % 3 == 0 else "xylozorphic" if number % 1000 == 1 else ""
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(1_400_000_000 + number * 3600))
        lines = [f"From: Person {number % 400} <p{number % 400}@example.org>", f"Message-ID: {name}", f"Date: {date}"]
        lines += [f"Subject: {'Re: ' if parent else ''}Thing {number // 30}"]
        lines += [f"References: {parent}"] if parent else []
        yield "\n".join([*lines, "", text, extra, ""]).encode()


def chained(count: int) -> Iterator[bytes]:
    for place in range(count):
        number = place ^ 1  # Each two have changed places.
        lines = [
            f"From: Person {number % 400} <p{number % 400}@example.org>",
            f"Message-ID: <{number}@bench.example.org>",
        ]
        lines += [f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime(1_400_000_000 + number * 60))}"]
        lines += ["Subject: Re: Thing", f"In-Reply-To: <{number - 1}@bench.example.org>"]
        yield "\n".join([*lines, "", "I agree.", ""]).encode()


def write_mbox(path: Path, mails: Iterator[bytes]) -> Path:
    with path.open("wb") as file:
        for raw in mails:
            file.write(b"From bench@example.org  Tue May 13 16:53:20 2014\n" + raw + b"\n")
    return path


def main() -> None:
    options = parser.parse_args()
    with fresh_home(options.home):
        measure(options)


def measure(options: argparse.Namespace) -> None:
    from django.db import connection

    from postroad.community.lists import actions as lists
    from postroad.mailflow.archive.search.index import search
    from postroad.mailflow.archive.search.query import parse
    from postroad.upgrade.importing.engine import run
    from postroad.upgrade.importing.progress import Silent
    from postroad.upgrade.mbox.steps import Mailbox, mails_step

    lists.create_domain("bench.example.org")
    mailing_list = lists.create_list("archive@bench.example.org")
    mails = chained(options.messages) if options.chain else made(options.messages)
    path = Path(options.mbox or write_mbox(Path(os.environ["POSTROAD_HOME"]) / "bench.mbox", mails))
    size = path.stat().st_size
    step = mails_step([Mailbox("bench", path, "mbox", mailing_list.list_id)])
    for what in ("import", "again"):
        begin = time.perf_counter()
        kind = run("bench", [step], Silent(), jobs=2).kinds[0]
        took = time.perf_counter() - begin
        print(f"{what}: {kind.new} new, {kind.unchanged} unchanged, {(kind.new + kind.unchanged) / took:.0f} mails/s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"memory: {peak:.0f} MB at most in the process that writes")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sum(length(block)) FROM archive_search_data")
        else:
            cursor.execute("SELECT pg_total_relation_size('archive_search')")
        index = cursor.fetchone()[0]
    print(f"index: {index / size:.3f} of the mail's {size / 1e6:.1f} MB")
    for word in (options.rare, options.common):
        times = []
        for _ in range(50):
            begin = time.perf_counter()
            found = search(parse(word), [mailing_list.pk], 0, 20)
            times.append(time.perf_counter() - begin)
        print(f"search {word}: {found.total} found, p50 {statistics.median(times) * 1000:.2f} ms")


if __name__ == "__main__":
    main()
