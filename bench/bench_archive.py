"""An old archive is imported: mails a second with threads and search, the index's size, and searches.

    .venv/bin/python bench/bench_archive.py [--mbox FILE] [--messages 3000] [--home DIR]

Without --mbox, mails of our own making: threads of up to 30, 150 words each.
"""

import argparse
import mailbox
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--mbox")
parser.add_argument("--messages", type=int, default=3000)
parser.add_argument("--home", default="")
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


def of_mbox(path: str) -> Iterator[bytes]:
    box = mailbox.mbox(path, create=False)
    for key in box.iterkeys():
        yield box.get_bytes(key)


def main() -> None:
    options = parser.parse_args()
    home = Path(options.home or tempfile.mkdtemp(prefix="postroad-bench-"))
    os.environ["POSTROAD_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "postroad.project.settings"
    from postroad.foundation import configuration

    configuration.create(home)
    import django

    django.setup()
    from postroad.project.commands.serve import prepare_database

    prepare_database()
    measure(options)


def measure(options: argparse.Namespace) -> None:
    from django.db import connection

    from postroad.community.lists import actions as lists
    from postroad.foundation.message.headers import Headers
    from postroad.foundation.message.message_id import message_id_of
    from postroad.mailflow.archive.actions import Incoming, import_messages
    from postroad.mailflow.archive.search.index import search
    from postroad.mailflow.archive.search.query import parse

    lists.create_domain("bench.example.org")
    mailing_list = lists.create_list("archive@bench.example.org")
    raws = list(of_mbox(options.mbox) if options.mbox else made(options.messages))
    size = sum(map(len, raws))
    mails = (Incoming(raw, message_id_of(Headers.parse(raw)) or str(i), time.time()) for i, raw in enumerate(raws))
    begin = time.perf_counter()
    duplicates = sum(batch.duplicates for batch in import_messages(mailing_list, mails))
    took = time.perf_counter() - begin
    print(f"import: {len(raws)} mails, {duplicates} duplicates, {len(raws) / took:.0f} mails/s")
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
