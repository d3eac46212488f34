"""Copies per second and CPU per copy from a post's arrival at moderation to the relay's last reply; one process.

    .venv/bin/python bench/bench_delivery.py [--members 1000] [--posts 20] [--kinds personal,bulk,handlers,ed25519,rsa]
    --sink PROGRAM   what takes the copies: Postfix's smtp-sink, or a program called as PROGRAM HOST PORT CONTROL_PORT
    POSTROAD_DATABASE_URL=postgresql://… for PostgreSQL

`handlers` is a list on which every handler of the pipeline has something to do; the posts of all kinds are the same.
"""

import argparse
import asyncio
import os
import secrets
import shutil
import time
from collections.abc import Iterable

from bench_smtp_client import start_sink
from home import add_members, fresh_home

LINE = b"The quick brown fox jumps over the lazy dog and looks for its list.\r\n"
HOST = "bench.example.org"
EVERYTHING: dict[str, object] = {
    "personalize": "full", "filter_content": True, "filter_types": ["image"], "convert_html_to_plaintext": True,
    "reply_goes_to_list": "explicit_header", "reply_to_address": "answers@bench.example.org",
    "first_strip_reply_to": True, "topics_enabled": True, "topics": ["fox: .*fox.*"], "link_attachments_above": 1,
    "anonymous_list": True, "dmarc_mitigate_action": "munge_from", "dmarc_mitigate_unconditionally": True,
    "subject_prefix": "[bench %d] ",
}  # fmt: skip
SETTINGS: dict[str, dict[str, object]] = {"bulk": {"personalize": "none"}, "handlers": EVERYTHING}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--posts", type=int, default=20)
    parser.add_argument("--kinds", default="personal,bulk,handlers,ed25519,rsa")
    parser.add_argument("--sink", default=shutil.which("smtp-sink") or "/usr/sbin/smtp-sink")
    options = parser.parse_args()
    sink, port = start_sink(options.sink)
    os.environ["POSTROAD_SMTP_PORT"] = str(port)
    try:
        with fresh_home():
            print(f"{'kind':12}{'copies':>10}{'copies/s':>10}{'CPU s per 1,000':>18}{'of it stages':>15}")
            for kind in options.kinds.split(","):
                measure(kind, options.members, options.posts)
    finally:
        sink.kill()
        sink.wait()


def measure(kind: str, members: int, posts: int) -> None:
    """One kind of list: a post to warm up, then the posts."""
    from postroad.foundation.queue.worker import Worker
    from postroad.mailflow.timetable import STAGES

    address = made_list(kind, members)
    stages = Worker("bench", [stage for stage in STAGES if stage.queue in ("moderation", "pipeline")])
    for count in (1, posts):
        queue_posts(address, count)
        began, cpu = time.perf_counter(), time.process_time()
        stages.run_until_idle()
        prepared = time.process_time() - cpu
        asyncio.run(deliver())
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    copies = members * posts
    each = 1000 / copies
    print(f"{kind:12}{copies:10,}{copies / seconds:10,.0f}{cpu * each:18.4f}{prepared * each:15.4f}", flush=True)


def made_list(kind: str, members: int) -> str:
    """A list of this kind; the keys of its domain sign if the kind is called after an algorithm."""
    from postroad.community.lists import actions as lists
    from postroad.community.lists.queries import find_domain
    from postroad.mailflow.delivery import signing_keys

    host = f"{kind}.{HOST}"
    if find_domain(host) is None:
        lists.create_domain(host)
    made = lists.create_list(f"dogs@{host}")
    accepting: dict[str, object] = {"default_nonmember_action": "accept", "require_explicit_destination": False}
    lists.change_settings(made, {**accepting, **SETTINGS.get(kind, {})})
    add_members(made.pk, members)
    if kind in ("ed25519", "rsa"):
        for key in signing_keys.make(host, (kind,)):
            signing_keys.use(host, key.selector)
    return made.fqdn_listname


def queue_posts(address: str, count: int) -> None:
    """Put posts of a stranger before moderation."""
    from django.db import transaction

    from postroad.foundation.queue import actions as queue
    from postroad.foundation.queue.envelope import Envelope
    from postroad.foundation.storage import actions as storage

    def made() -> Iterable[Envelope]:
        for _ in range(count):
            name = f"{secrets.token_hex(8)}@example.org"
            raw = (
                f"From: Anne <anne@example.org>\r\nTo: {address}\r\nSubject: Hello fox\r\nMessage-ID: <{name}>\r\n"
                "Date: Thu, 26 Nov 2026 12:00:00 +0000\r\n\r\n"
            ).encode() + LINE * 30
            yield Envelope(
                journey=queue.new_journey(), message=storage.store(raw), message_id=name, size=len(raw),
                received_at=time.time(), list_id=address.replace("@", "."), sender="anne@example.org",
            )  # fmt: skip

    with transaction.atomic():
        queue.put_many("moderation", list(made()))


async def deliver() -> None:
    """Run the delivery process until its queue is empty."""
    from postroad.foundation.queue.models import Job
    from postroad.mailflow.delivery.worker import Delivery

    stop = asyncio.Event()
    running = asyncio.create_task(Delivery().run(stop))
    while await asyncio.to_thread(Job.objects.filter(queue="delivery").exists):  # noqa: ASYNC110 — a table is asked
        await asyncio.sleep(0.02)
    stop.set()
    await running


if __name__ == "__main__":
    main()
