"""Posts collected per second, and time and memory of one issue in each format; one process, SQLite.

python bench/bench_digests.py [--posts 2000] [--issue 500] [--members 1000]

`--issue` is how many posts one issue has, `--posts` how many are collected in all; what is more than an issue holds
goes into further ones, so memory does not grow with it.
"""

import argparse
import resource
import time

from home import fresh_home


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--issue", type=int, default=500)
    parser.add_argument("--members", type=int, default=1000)
    options = parser.parse_args()
    with fresh_home():
        measure(options.posts, options.issue, options.members)


def measure(posts: int, issue: int, members: int) -> None:
    from postroad.mailflow.digests import actions

    ants = make_list(members)
    actions.MOST_POSTS = issue
    rate = collected_per_second(ants, posts)
    print(f"collected                {rate:10.0f} posts/s")
    began, before = time.perf_counter(), resident()
    issues = actions.send(ants)
    print(f"cut into {issues:4} issues      {(time.perf_counter() - began) * 1000:10.1f} ms")
    for name, seconds in formats().items():
        print(f"{name:10} issue of {issue:5} {seconds * 1000:10.1f} ms, {seconds / issue * 1e6:6.0f} µs a post")
    began = time.perf_counter()
    built = build_all()
    seconds = time.perf_counter() - began
    print(f"all {built:4} issues, 3 mails each {seconds:6.2f} s; most memory {resident():.0f} MB ({before:.0f} before)")


def make_list(members: int):
    from postroad.community.lists import actions as lists
    from postroad.community.people.models import Address
    from postroad.community.subscriptions.models import Member

    lists.create_domain("example.com")
    ants = lists.create_list("ants@example.com")
    lists.change_settings(ants, {"digest_size_threshold": 0.0})
    modes = ("regular", "plaintext_digests", "mime_digests", "html_digests")
    emails = [f"user{number}@example.org" for number in range(members)]
    made = Address.objects.bulk_create(Address(email=email, original_email=email) for email in emails)
    Member.objects.bulk_create(
        Member(mailing_list=ants, address=address, delivery_mode=modes[number % 4])
        for number, address in enumerate(made)
    )
    return ants


def collected_per_second(ants, posts: int) -> float:
    from django.db import transaction

    from postroad.foundation.queue.envelope import Envelope
    from postroad.foundation.storage import actions as storage
    from postroad.mailflow.digests.worker import collect

    body = b"The quick brown fox jumps over the lazy dog and looks for its list.\r\n" * 36
    envelopes = []
    with transaction.atomic():
        for number in range(posts):
            raw = (
                f"From: User {number % 50} <user{number % 50}@example.org>\r\nTo: ants@example.com\r\n"
                f"Subject: Re: Thread {number % 40}\r\nMessage-ID: <{number}@example.org>\r\n"
                f"References: <{max(0, number - 40)}@example.org>\r\nContent-Type: text/plain\r\n\r\n"
            ).encode() + body
            envelopes.append(
                Envelope(
                    journey=f"bench{number}", message=storage.store(raw), message_id=f"{number}@example.org",
                    received_at=time.time(), size=len(raw), list_id=ants.list_id,
                )
            )  # fmt: skip
    began = time.perf_counter()
    for start in range(0, posts, 25):
        with transaction.atomic():  # as the worker does: a batch shares a commit
            for envelope in envelopes[start : start + 25]:
                collect(envelope)
    return posts / (time.perf_counter() - began)


def formats() -> dict[str, float]:
    from postroad.mailflow.digests import attached, page, plain
    from postroad.mailflow.digests.frame import Frame
    from postroad.mailflow.digests.items import items_of
    from postroad.mailflow.digests.models import Issue
    from postroad.mailflow.digests.queries import posts_of

    first = Issue.objects.select_related("mailing_list__domain").earliest("pk")
    times = {}
    began = time.perf_counter()
    frame = Frame.of(first, list(items_of(first.mailing_list, posts_of(first))))
    times["reading"] = time.perf_counter() - began
    for name, form in (("plain", plain.content), ("MIME", attached.content), ("HTML", page.content)):
        began = time.perf_counter()
        form(frame)
        times[name] = time.perf_counter() - began
    return times


def build_all() -> int:
    from django.db import transaction

    from postroad.foundation.queue.actions import decode
    from postroad.foundation.queue.models import Job
    from postroad.mailflow.digests.worker import build, send

    count = 0
    for job in Job.objects.filter(queue="issues").order_by("pk"):
        envelope = decode(bytes(job.envelope))
        work = build(envelope)
        with transaction.atomic():
            send(envelope, work)
        count += 1
    return count


def resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
