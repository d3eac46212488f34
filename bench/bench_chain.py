"""Posts through every stage up to the relay: rate and CPU time of each stage; one process, a list of one member.

python bench/bench_chain.py [--posts 500]          POSTROAD_DATABASE_URL=postgresql://… for PostgreSQL
"""

import argparse
import secrets
import time
from collections import deque
from collections.abc import Callable

from home import fresh_home

LINE = b"The quick brown fox jumps over the lazy dog and looks for its list.\r\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=500)
    options = parser.parse_args()
    with fresh_home():
        queue_posts(options.posts)
        run_stages(options.posts)


def queue_posts(count: int) -> None:
    from django.db import transaction

    from postroad.community.lists import actions as lists
    from postroad.community.subscriptions import actions as subscriptions
    from postroad.foundation.queue import actions as queue
    from postroad.foundation.queue.envelope import Envelope
    from postroad.foundation.storage import actions as storage

    host = f"{secrets.token_hex(4)}.example.com"
    lists.create_domain(host)
    made = lists.create_list(f"dogs@{host}")
    subscriptions.join(
        made, "anne@example.org", pre_verified=True, pre_confirmed=True, pre_approved=True, send_welcome_message=False
    )
    with transaction.atomic():
        for number in range(count):
            message_id = f"{number}.{host}@example.org"
            raw = (
                f"From: Anne <anne@example.org>\r\nTo: {made.fqdn_listname}\r\nSubject: Hello {number}\r\n"
                f"Message-ID: <{message_id}>\r\nDate: Thu, 26 Nov 2026 12:00:00 +0000\r\n\r\n"
            ).encode() + LINE * 30
            envelope = Envelope(
                journey=queue.new_journey(), message=storage.store(raw), message_id=message_id, size=len(raw),
                received_at=time.time(), list_id=made.list_id, sender="anne@example.org",
            )  # fmt: skip
            queue.put("moderation", envelope)


def run_stages(posts: int) -> None:
    from postroad.foundation.queue.worker import Worker
    from postroad.mailflow.timetable import STAGES

    total = 0.0
    for stage in STAGES:
        if stage.queue in ("moderation", "pipeline", "archive"):
            total += timed(stage.queue, posts, Worker("bench", (stage,)).run_until_idle)
    total += timed("delivery", posts, deliver)
    print(f"{'all':12}{posts / total:8.0f} posts/s")


def timed(name: str, posts: int, run: Callable[[], object]) -> float:
    began, cpu = time.perf_counter(), time.process_time()
    run()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"{name:12}{posts / seconds:8.0f} posts/s {cpu / posts * 1000:8.2f} ms CPU for each")
    return seconds


def deliver() -> None:
    """Delivery up to the relay, which takes every copy at once."""
    from postroad.foundation.queue import actions as queue
    from postroad.foundation.queue import memory
    from postroad.mailflow.delivery import actions
    from postroad.mailflow.delivery.copies import personal
    from postroad.mailflow.delivery.loading import cut_and_load
    from postroad.mailflow.delivery.relay import EVERYTHING
    from postroad.mailflow.delivery.worker import MANY_AT_ONCE

    while jobs := deque(queue.claim("delivery", "bench", MANY_AT_ONCE)):
        while jobs:
            with memory.remembering():
                loaded = [work for _, work in cut_and_load(jobs)[1]]
            for work, source in loaded:
                for index, copy in enumerate(personal(source, list(enumerate(work.recipients)), 0)):
                    copy.content(EVERYTHING)
                    work.results.set(index, "250 2.0.0 Ok")
            actions.finish([work for work, _ in loaded])


if __name__ == "__main__":
    main()
