"""Posts judged, and posts judged and carried out, per second through the whole default chain; one process, SQLite.

python bench/bench_moderation.py [--posts 2000] [--bans 1000] [--matches 50]
"""

import argparse
import time

from home import fresh_home


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--bans", type=int, default=1000)
    parser.add_argument("--matches", type=int, default=50)
    options = parser.parse_args()
    with fresh_home():
        measure(options.posts, options.bans, options.matches)


def measure(posts: int, bans: int, matches: int) -> None:
    from postroad.community.lists import actions as lists
    from postroad.community.subscriptions import actions as subscriptions

    lists.create_domain("example.com")
    plain, busy = lists.create_list("plain@example.com"), lists.create_list("busy@example.com")
    for mailing_list in (plain, busy):
        subscriptions.join(
            mailing_list, "anne@example.org", pre_verified=True, pre_confirmed=True, pre_approved=True,
            send_welcome_message=False,
        )  # fmt: skip
    from postroad.community.bans.models import Ban

    Ban.objects.bulk_create(Ban(email=f"^spam{n}.*@", mailing_list=busy) for n in range(bans))
    for number in range(matches):
        lists.add_header_match(busy, "Subject", f"offer {number} ends", "discard")
    for name, mailing_list in (("plain list", plain), (f"{bans} ban patterns, {matches} header matches", busy)):
        judged, done = rates(mailing_list, posts)
        print(f"{name:45} {judged:8.0f} judged/s {done:8.0f} judged and queued/s")


def rates(mailing_list, posts: int) -> tuple[float, float]:
    import msgspec
    from django.db import transaction

    from postroad.foundation.queue.envelope import Envelope
    from postroad.foundation.storage import actions as storage
    from postroad.mailflow.moderation.engine import judge
    from postroad.mailflow.moderation.post import Post
    from postroad.mailflow.moderation.worker import work

    raw = (
        f"From: Anne <anne@example.org>\r\nTo: {mailing_list.fqdn_listname}\r\nSubject: Hello\r\n\r\n".encode()
        + b"The quick brown fox jumps over the lazy dog and looks for its list.\r\n" * 36
    )
    envelope = Envelope(
        journey="bench", message=storage.store(raw), message_id="bench@example.org", received_at=time.time(),
        size=len(raw), list_id=mailing_list.list_id, sender="anne@example.org",
    )  # fmt: skip
    began = time.perf_counter()
    for _ in range(posts):
        assert judge(Post(mailing_list, envelope, raw)).action == "accept"
    judged = posts / (time.perf_counter() - began)
    began = time.perf_counter()
    for batch in range(posts // 25):
        with transaction.atomic():  # as the worker does: a batch shares a commit
            for number in range(25):
                work(msgspec.structs.replace(envelope, message_id=f"{batch}.{number}@example.org"))
    return judged, posts // 25 * 25 / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
