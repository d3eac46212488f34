"""The archive's pages over HTTP: a site of our own with 10,000 mails, and a conversation of 100,000 below each other.

    .venv/bin/python bench/bench_pages.py [--home DIR] [--database URL] [--mails 10000] [--deep 100000]
        [--only PAGE] [--only-build]

A home that is named is filled at the first call and used again. Pages are asked for one after the other on one kept
connection, each time another one, so that neither the browser's nor the process's cache answers for the page; then once
more, when the process has their mails rendered (`again`), and once with the entity tag that came (`304`).

The mails that are asked for one by one were rendered for their conversations before: `--only message` asks for them
first.
"""

import argparse
import http.client
import itertools
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

WORDS = [f"word{i}" for i in range(5000)]
WEIGHTS = [1 / (i + 2) for i in range(5000)]
LISTS = "/lists/archive.bench.example.org"

parser = argparse.ArgumentParser()
parser.add_argument("--home", type=Path)
parser.add_argument("--database", default="sqlite:///postroad.db")
parser.add_argument("--mails", type=int, default=10_000)
parser.add_argument("--deep", type=int, default=100_000)
parser.add_argument("--times", type=int, default=150)
parser.add_argument("--only", default="", help="pages whose name begins so")
parser.add_argument("--only-build", action="store_true")


def mails(count: int, thread: int, name: str, words: int) -> Iterator[bytes]:
    """Conversations of `thread` mails; each answers the one before, or one of the last few."""
    chance = random.Random(7)
    for number in range(count):
        place = number % thread
        back = chance.randrange(min(place, 4)) if place and thread < 100 else 0
        parent = f"<{name}{number - 1 - back}@bench.example.org>"
        text = " ".join(chance.choices(WORDS, WEIGHTS, k=words))
        extra = "release" if number % 3 == 0 else f"xylo{number} rare{number // 10}" if number % 10 == 1 else ""
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(1_400_000_000 + number * 3600))
        lines = [f"From: Person {number % 400} <p{number % 400}@example.org>", f"Date: {date}"]
        lines += [f"Message-ID: <{name}{number}@bench.example.org>", f"Subject: Thing {name}{number // thread}"]
        lines += [f"References: {parent}"] if place else []
        yield "\n".join([*lines, "", "> " + text[:70], text, extra, ""]).encode()


def build(options: argparse.Namespace) -> None:
    from django.db import transaction

    from postroad.community.lists import actions as lists
    from postroad.foundation.message.headers import Headers
    from postroad.foundation.message.message_id import message_id_of
    from postroad.mailflow.archive.actions import Incoming, archive_many
    from postroad.mailflow.archive.reading import read
    from postroad.project.commands.serve import prepare_database

    prepare_database()
    lists.create_domain("bench.example.org")
    for name, corpus in (
        ("archive", mails(options.mails, 50, "a", 150)),
        ("deep", mails(options.deep, options.deep, "d", 12)),
    ):
        made = lists.create_list(f"{name}@bench.example.org")
        begin = time.perf_counter()
        count = 0
        while raws := list(itertools.islice(corpus, 500)):
            with transaction.atomic():
                incoming = [Incoming(raw, message_id_of(Headers.parse(raw)) or "", time.time()) for raw in raws]
                archive_many(made, incoming, [read(raw) for raw in raws])
            count += len(raws)
        print(f"{name}: {count} mails in {time.perf_counter() - begin:.1f} s", flush=True)


def addresses() -> dict[str, list[str]]:
    from postroad.mailflow.archive.models import Mail, Month, Thread

    mine = "archive.bench.example.org"
    threads = Thread.objects.filter(mailing_list__list_id=mine).values_list("key", flat=True)
    hashes = Mail.objects.filter(mailing_list__list_id=mine).order_by("date").values_list("message_id_hash", flat=True)
    months = Month.objects.filter(mailing_list__list_id=mine).values_list("year", "month")
    pages = {
        "list": [f"{LISTS}/", *(f"{LISTS}/?page={n}" for n in range(2, 6))],
        "month": [f"{LISTS}/archive/{year}/{month}/" for year, month in months],
        "thread of 50": [f"{LISTS}/thread/{key}/" for key in threads],
        "message": [f"{LISTS}/message/{hash_}/" for hash_ in hashes[::41]],
        "search, rare word": [f"/search/?q=xylo{number}" for number in range(1, 5000, 10)],
        "search, common word": [f"/search/?q=release+-rare{n}&page={1 + n % 30}" for n in range(500)],
        "search, best first": [f"/search/?q=release+-rare{n}&sort=relevance" for n in range(500)],
        "feed": [f"{LISTS}/feed.atom"],
    }
    deep = Thread.objects.filter(mailing_list__list_id="deep.bench.example.org").order_by("-count").first()
    if deep is not None:
        last = (deep.count + 49) // 50
        numbers = random.Random(3).choices(range(1, last + 1), k=200)
        path = f"/lists/deep.bench.example.org/thread/{deep.key}/"
        pages[f"thread of {deep.count:,}"] = [f"{path}?page={number}" for number in numbers]
    return pages


def measure(options: argparse.Namespace, port: int) -> None:
    pages = addresses()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for name, paths in pages.items():
        if not name.startswith(options.only):
            continue
        chosen = [paths[i % len(paths)] for i in range(options.times)]
        for path in chosen[:3]:
            ask(connection, path)
        fresh = [ask(connection, path) for path in chosen]
        assert all(status == 200 for status, *_ in fresh), name
        again = statistics.median(ask(connection, path)[1] for path in chosen) * 1000
        known = [ask(connection, path, etag) for path, (_, _, etag, _) in zip(chosen, fresh, strict=True) if etag]
        assert all(status == 304 for status, *_ in known), name
        took = sorted(seconds for _, seconds, *_ in fresh)
        p50, p95 = statistics.median(took) * 1000, took[int(len(took) * 0.95)] * 1000
        kept = f"{statistics.median(s for _, s, *_ in known) * 1000:5.2f}" if known else "    –"
        size = statistics.median(size for *_, size in fresh) / 1000
        print(
            f"{name:22} p50 {p50:6.2f} ms   p95 {p95:6.2f} ms   again {again:6.2f} ms   304 {kept} ms   {size:6.1f} kB",
            flush=True,
        )


def ask(connection: http.client.HTTPConnection, path: str, etag: str = "") -> tuple[int, float, str, int]:
    begin = time.perf_counter()
    connection.request("GET", path, headers={"If-None-Match": etag} if etag else {})
    response = connection.getresponse()
    body = response.read()
    return response.status, time.perf_counter() - begin, response.headers.get("ETag", ""), len(body)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postroad-bench-") as thrown_away:
        options.home = options.home or Path(thrown_away)
        build_and_measure(options)


def build_and_measure(options: argparse.Namespace) -> None:
    ports = [free_port() for _ in range(3)]
    os.environ |= {
        "POSTROAD_HOME": str(options.home), "POSTROAD_DATABASE_URL": options.database,
        "DJANGO_SETTINGS_MODULE": "postroad.project.settings", "POSTROAD_WEB_LISTEN": f"127.0.0.1:{ports[0]}",
        "POSTROAD_REST_LISTEN": f"127.0.0.1:{ports[1]}", "POSTROAD_LMTP_LISTEN": f"127.0.0.1:{ports[2]}",
    }  # fmt: skip
    from postroad.foundation import configuration

    is_new = not (options.home / "built").exists()
    if not (options.home / "postroad.toml").exists():
        options.home.mkdir(parents=True, exist_ok=True)
        configuration.create(options.home)
    import django

    django.setup()
    if is_new:
        build(options)
        (options.home / "built").touch()
    if options.only_build:
        return
    program = Path(sys.executable).with_name("postroad")
    serve = subprocess.Popen([program, "serve", "--home", str(options.home)], stdout=subprocess.PIPE, text=True)
    try:
        assert serve.stdout is not None
        assert any(line.strip() == "ready" for line in serve.stdout)
        measure(options, ports[0])
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.wait(30)


if __name__ == "__main__":
    main()
