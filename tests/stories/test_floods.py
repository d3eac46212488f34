"""Floods that somebody sends to hurt others: what leaves because of them is bounded (facts: security T1, T3, T5).

A hundredth of each is sent; all of it with POSTROAD_WHOLE_FLOOD=1, which takes some minutes:

    POSTROAD_WHOLE_FLOOD=1 pytest tests/stories/test_floods.py --timeout 3600 -s
"""

import os
import sys
import time
from collections import Counter
from contextlib import suppress

import pytest
from django.db import transaction

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.consent import Origin
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.tokens import return_path, today
from postroad.foundation.errors import TooMany
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.storage import actions as storage
from postroad.mailflow.bounces import actions as bounces
from postroad.mailflow.bounces.worker import work as judge_bounce
from postroad.mailflow.mail_commands.worker import work as obey
from postroad.mailflow.moderation.worker import work as moderate

pytestmark = pytest.mark.django_db

PART = 1 if os.environ.get("POSTROAD_WHOLE_FLOOD") else 100
BATCH = 25
READY = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}


def receive(work, list_, kind: str, raw: bytes, number: int, sender: str, recipient: str) -> None:
    """One mail comes in and is worked on, as its stage does it."""
    work(
        Envelope(
            journey=queue.new_journey(), message=storage.store(raw), message_id=f"{number}@flood.example", kind=kind,
            received_at=time.time(), list_id=list_.list_id, size=len(raw), sender=sender, recipient=recipient,
        )
    )  # fmt: skip


def flood(count: int, one) -> float:
    """Do `one(number)` so many times, some to a commit as the stages do; how many a second."""
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        with transaction.atomic():
            for number in range(start, min(start + BATCH, count)):
                one(number)
    return count / (time.perf_counter() - began)


def outgoing() -> Counter[str]:
    """Who would get mail by what waits, and how many; `owners` stands for the list's own people."""
    counted: Counter[str] = Counter()
    for data in Job.objects.filter(queue__in=["pipeline", "delivery"]).values_list("envelope", flat=True):
        envelope = decode(bytes(data))
        counted.update(envelope.recipients or [envelope.kind if envelope.kind == "owner" else "members"])
    return counted


def say(figures: str) -> None:
    """The figures of the run, for who reads along (`-s`)."""
    sys.stdout.write(figures + "\n")


def test_forged_spam_causes_no_mail_to_anybody_outside():
    """Strangers, members whose address is forged, and the list itself in From: nobody of them hears of it."""
    lists.create_domain("flood.example")
    ants = lists.create_list("ants@flood.example")
    subscriptions.join(ants, "olga@flood.example", role="owner")
    for action in ("hold", "reject"):
        subscriptions.join(ants, f"{action}@example.org", **READY)
        Member.objects.filter(address__email=f"{action}@example.org").update(moderation_action=action)
    forged = ("victim{}@example.net", "ants@flood.example", "ants-bounces@flood.example", "olga@flood.example")

    def one(number: int) -> None:
        if number % 2000 == 0:
            kind = "reject" if number % 4000 else "hold"
            lists.change_settings(ants, {"default_nonmember_action": kind})
        sender = forged[number % len(forged)].format(number)
        raw = (
            f"From: {sender}\r\nTo: ants@flood.example\r\nReply-To: target{number}@example.net\r\n"
            f"Subject: win {number}\r\nMessage-ID: <{number}@flood.example>\r\n\r\nBuy this.\r\n"
        ).encode()
        receive(moderate, ants, "posting", raw, number, sender, "ants@flood.example")

    count = 10_000 // PART
    rate = flood(count, one)
    found = outgoing()
    told = found.pop("owner", 0)
    say(f"{count} forged spams: {sum(found.values())} mails outside, {told} notices to owners, {rate:.0f}/s")
    assert not found
    assert told <= 100
    assert Step.objects.filter(outcome__in=["held", "rejected", "discarded"]).count() == count


def test_hostile_requests_cause_three_mails_a_victim():
    """From 500 networks and by mail, for 10 victims on 200 lists, with 100 honest people in the midst of them."""
    lists.create_domain("flood.example")
    everywhere = [lists.create_list(f"l{number}@flood.example") for number in range(max(4, 200 // PART))]
    count, honest = 20_000 // PART, max(4, 100 // PART)

    def one(number: int) -> None:
        list_, victim = everywhere[number % len(everywhere)], f"victim{number % 10}@example.net"
        if number % (count // honest) == 0:
            list_, victim = everywhere[number % len(everywhere)], f"honest{number}@example.org"
            subscriptions.join(list_, victim, origin=Origin("web", f"192.0.2.{number * honest // count}"))
        elif number % 2:
            raw = f"From: {victim}\r\nSubject: join BUY THIS\r\nMessage-ID: <{number}@x>\r\n\r\n".encode()
            receive(obey, list_, "join", raw, number, victim, list_.address("join"))
        else:
            network = number // 2 % 500
            with suppress(TooMany):
                subscriptions.join(list_, victim, origin=Origin("web", f"10.1.{network // 250}.{network % 250}"))

    rate = flood(count, one)
    found = outgoing()
    victims = sum(number for address, number in found.items() if address.startswith("victim"))
    say(f"{count} hostile requests: {victims} mails to 10 victims, {rate:.0f}/s")
    assert victims <= 30
    assert sum(number for address, number in found.items() if address.startswith("honest")) == honest
    assert sum(found.values()) == victims + honest


def test_forged_bounces_change_no_score():
    """Plain return paths, keys that are wrong, keys of another member, of another list, and keys too old."""
    lists.create_domain("flood.example")
    ants, bees = (lists.create_list(f"{name}@flood.example") for name in ("ants", "bees"))
    members = [f"member{number}@example.org" for number in range(20)]
    for email in members:
        subscriptions.join(ants, email, **READY)
    path = ants.address("bounces")
    paths = (
        lambda email: path,
        lambda email: path.replace("@", f"+{email.replace('@', '=')}@"),
        lambda email: path.replace("@", f"+{email.replace('@', '=')}={'0' * 40}@"),
        lambda email: return_path(bees.address("bounces"), bees.pk, email, today()).replace("bees", "ants"),
        lambda email: return_path(path, ants.pk, email, today() - 30),
        lambda email: return_path(path, ants.pk, "nobody@example.org", today()).replace("nobody", email[:7]),
    )

    def one(number: int) -> None:
        email = members[number % len(members)]
        raw = (
            "From: mailer-daemon@mx.example.net\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
            f"Final-Recipient: rfc822; {email}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
        ).encode()
        receive(judge_bounce, ants, "bounces", raw, number, "", paths[number % len(paths)](email))

    count = 100_000 // PART
    rate = flood(count, one)
    bounces.judge_events()
    scores = Member.objects.exclude(bounce_score=0).count()
    say(f"{count} forged bounces: {scores} scores changed, {sum(outgoing().values())} mails, {rate:.0f}/s")
    assert not scores
    assert not Member.objects.exclude(delivery_status=None).exists()
    assert not outgoing()
