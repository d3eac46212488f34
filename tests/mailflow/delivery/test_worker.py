"""The delivery process against a scripted relay: every fault has a defined end, and the mail is still there."""

import contextlib
import dataclasses
import time
from collections import Counter

import pytest
from django.conf import settings
from django.db import connection

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.storage import actions as storage
from postroad.mailflow.bounces.reports import read
from postroad.mailflow.delivery import worker
from postroad.mailflow.delivery.models import Chunk
from postroad.mailflow.delivery.pauses import PATIENCE, Pauses
from postroad.mailflow.delivery.queries import replies_of
from tests.mailflow.delivery.engine import deliver, finished, members, send

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dogs():
    lists.create_domain("example.com")
    return lists.create_list("dogs@example.com")


def answers(**replies):
    return lambda verb, number, line: replies.get(verb)


def test_every_member_gets_a_copy_with_a_return_path_of_its_own(dogs, scripted, monkeypatch):
    emails = members(dogs, 30)
    send()
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    assert sorted(r for _, rs, _ in relay.messages for r in rs) == sorted(emails)
    for sender, (recipient,), content in relay.messages:
        assert sender.startswith(f"dogs-bounces+{recipient.replace('@', '=')}=")
        assert f"X-For: {recipient}".encode() in content
    assert Step.objects.get(stage="delivery").reason == "30 delivered"
    assert not Job.objects.exists()


@pytest.mark.parametrize("deaths", [0, 1])
def test_after_a_death_those_who_stood_first_are_not_the_first_again(dogs, scripted, monkeypatch, deaths):
    """They may have been in flight, and a second death at once would send to them a third time."""
    emails = members(dogs, 60)
    send()
    Job.objects.update(deaths=deaths)
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    first = {recipient for _, (recipient,), _ in relay.messages[:8]}
    assert (first <= set(emails[:20])) == (deaths == 0)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_temporary_refusal_at_any_stage_is_tried_again_later(dogs, scripted, monkeypatch, verb):
    """Whatever the relay put off stays queued with its recipients, due after `retry_first_seconds`."""
    members(dogs, 3)
    send()
    Job.objects.update(created_at=1.0)
    deliver(scripted(answers(**{verb: "451 4.3.0 not now"})), finished, monkeypatch)
    job = Job.objects.get()
    assert (job.created_at, job.attempts) == (1.0, 1), "the mail is no younger for it"
    assert (job.queue, job.state, job.error[:3]) == ("delivery", Job.State.LIVE, "451")
    assert 50 < job.due_at - time.time() < 61
    assert queue.try_now() == 1
    relay = scripted()
    deliver(relay, lambda: not Job.objects.exists(), monkeypatch)
    assert len(relay.messages) == 3


@pytest.mark.parametrize("verb", ["MAIL", "DATA", "DOT"])
def test_a_relay_that_refuses_the_mail_itself_blames_nobody(dogs, scripted, monkeypatch, verb):
    """One event: no bounce, the copies wait in quarantine, the site's owner is told once, a retry sends them."""
    members(dogs, 3)
    send()
    deliver(scripted(answers(**{verb: "554 5.7.1 we do not like it"})), finished, monkeypatch)
    assert not Job.objects.filter(queue="bounces").exists()
    aside = Job.objects.get(queue="delivery")
    assert aside.state == Job.State.QUARANTINED
    assert "5.7.1 we do not like it" in aside.error
    assert Job.objects.filter(queue="pipeline").count() == 1
    Job.objects.filter(queue="pipeline").delete()
    queue.retry([aside.pk])
    relay = scripted()
    deliver(relay, lambda: not Job.objects.exists(), monkeypatch)
    assert len(relay.messages) == 3


def test_refused_recipients_come_back_as_one_report_that_bounces_can_read(dogs, scripted, monkeypatch):
    """RFC 3464: one multipart/report, a group of fields for each recipient, on a return path keyed for the list."""
    emails = members(dogs, 5)
    send()
    refuse = lambda verb, n, line: "550 5.1.1 no such user" if verb == "RCPT" and "m0@" not in line else None  # noqa: E731
    deliver(scripted(refuse), finished, monkeypatch)
    job = Job.objects.get()
    assert job.queue == "bounces"
    envelope = decode(job.envelope)
    report = read(storage.load(envelope.message))
    assert report.kind == "failure"
    assert sorted((f.email, f.cause, f.status) for f in report.failures) == [
        (email, "address", "5.1.1") for email in emails[1:]
    ]
    assert envelope.recipient.startswith("dogs-bounces+")
    assert Step.objects.get(stage="delivery").outcome == "partly sent"


def test_an_international_recipient_the_relay_cannot_serve_fails_alone(dogs, scripted, monkeypatch):
    """Without SMTPUTF8 the others still get theirs, and the report is RFC 6533's."""
    subscriptions.join(dogs, "jürgen@example.net", pre_verified=True, pre_confirmed=True, pre_approved=True,
                       send_welcome_message=False)  # fmt: skip
    members(dogs, 2)
    send()
    relay = scripted(extensions=("PIPELINING", "8BITMIME"))
    deliver(relay, finished, monkeypatch)
    assert len(relay.messages) == 2
    report = read(storage.load(decode(Job.objects.get(queue="bounces").envelope).message))
    assert [(f.email, f.status) for f in report.failures] == [("jürgen@example.net", "5.6.7")]


def test_a_refusal_until_the_time_is_over_becomes_a_failure(dogs, scripted, monkeypatch):
    members(dogs, 1)
    send()
    deliver(scripted(answers(RCPT="450 4.2.1 busy")), finished, monkeypatch, delivery_retry_days=0.0)
    report = read(storage.load(decode(Job.objects.get().envelope).message))
    assert [(f.email, f.status) for f in report.failures] == [("m0@example.net", "5.4.7")]


@pytest.mark.parametrize("fault", ["421 4.3.2 closing", "drop"])
def test_a_relay_that_is_away_is_waited_for(dogs, scripted, monkeypatch, fault):
    """Nothing is lost and nobody has an outcome; the mail goes out when the relay is back."""
    members(dogs, 3)
    send()
    deliver(scripted(answers(CONNECT=fault)), lambda: Job.objects.exclude(error="").exists(), monkeypatch)
    assert [reply for _, _, reply in replies_of("one@example.org")] == ["", "", ""]
    Job.objects.update(due_at=0)
    relay = scripted()
    deliver(relay, lambda: not Job.objects.exists(), monkeypatch)
    assert len(relay.messages) == 3


def test_a_relay_that_stays_away_until_the_time_is_over_leaves_the_mail_in_quarantine(dogs, scripted, monkeypatch):
    members(dogs, 3)
    send()
    aside = Job.objects.filter(state=Job.State.QUARANTINED)
    deliver(scripted(answers(CONNECT="drop")), aside.exists, monkeypatch, delivery_retry_days=0.0)
    assert "not delivered in 0 days" in aside.get().error


def test_a_domain_that_puts_everybody_off_is_left_in_peace():
    """After twenty refusals in a row its others are not even tried; a delivery ends the pause."""
    pauses = Pauses()
    for number in range(PATIENCE):
        assert not pauses.reason("next@busy.example")
        pauses.put_off(f"m{number}@busy.example", "450 4.7.1 slow down")
    assert pauses.reason("next@busy.example") == "450 4.7.1 slow down"
    assert not pauses.reason("m@good.example")
    pauses.delivered("m1@busy.example")
    assert not pauses.reason("next@busy.example")


def test_small_domains_do_not_wait_for_a_big_one(dogs, scripted, monkeypatch):
    """The copies of a chunk go out a domain at a time in turn."""
    members(dogs, 60, "big.example")
    members(dogs, 3, "small.example")
    send()
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    order = [recipients[0] for _, recipients, _ in relay.messages]
    assert max(i for i, r in enumerate(order) if r.endswith("small.example")) < 20


def test_what_one_recipient_was_answered_is_known(dogs, scripted, monkeypatch):
    """Did she get it? Every try with its reply, the latest last, however the address is written."""
    members(dogs, 3)
    send()
    busy = lambda verb, number, line: "450 4.2.1 busy" if verb == "RCPT" and "m1@" in line else None  # noqa: E731
    deliver(scripted(busy), finished, monkeypatch)
    Job.objects.update(due_at=0)
    deliver(scripted(), lambda: not Job.objects.exists(), monkeypatch)
    replies = [reply for _, _, reply in replies_of("one@example.org", "M1@Example.net")]
    assert [reply[:3] for reply in replies] == ["450", "250"]
    assert not list(replies_of("one@example.org", "stranger@example.net"))


def test_a_slow_domain_holds_nobody_up(dogs, scripted, monkeypatch):
    """Whose recipients the relay takes long to answer for has half of the connections; the others' mail passes by."""
    members(dogs, 60, "slow.example")
    members(dogs, 120, "quick.example")
    send()
    relay = scripted()
    relay.slow_domain, relay.reply_drag = "slow.example", 0.05
    deliver(relay, finished, monkeypatch)
    order = [recipients[0].rpartition("@")[2] for _, recipients, _ in relay.messages]
    last_quick = max(index for index, domain in enumerate(order) if domain == "quick.example")
    assert order[:last_quick].count("slow.example") < 30


def test_a_chunk_that_cannot_be_finished_keeps_its_replies_until_the_database_is_back(
    dogs, scripted, monkeypatch, outage, caplog
):
    """The database goes away with the last reply: nobody gets a second copy, everybody is told as delivered."""
    members(dogs, 10)
    send()
    relay = scripted()

    def script(verb, number, line):
        if verb == "DOT" and len(relay.messages) == 9 and not outage.began:
            outage.begin()

    relay.script = script

    def back_and_finished():
        if outage.is_on and "database away" in caplog.text:
            outage.end()
        return outage.began and not outage.is_on and finished()

    monkeypatch.setattr(worker, "DATABASE_PAUSE", 0.05)
    deliver(relay, back_and_finished, monkeypatch)
    connection.close()  # This test's own was thrown out too.
    assert "database away" in caplog.text
    assert len(relay.messages) == 10
    assert {reply[:3] for _, _, reply in replies_of("one@example.org")} == {"250"}


def test_a_chunk_another_host_took_over_keeps_what_was_replied_here(dogs, scripted, monkeypatch, elsewhere):
    """The lease was lost while copies were out: the replies are kept, so that the other host sends only the rest."""
    members(dogs, 5)
    send()
    relay = scripted()

    def script(verb, number, line):
        if verb == "DOT" and len(relay.messages) == 4:
            elsewhere("UPDATE queue_job SET claim = 12345")

    relay.script = script
    deliver(relay, lambda: [r for _, _, r in replies_of("one@example.org") if r], monkeypatch)
    assert len(relay.messages) == 5
    assert not Chunk.objects.get().done
    assert [reply[:3] for _, _, reply in replies_of("one@example.org")] == ["250"] * 5


def test_a_full_disk_ends_the_process_and_the_mail_waits(dogs, scripted, monkeypatch, small_disk):
    """Replies that can't be kept must not be followed by more copies: at most those under way go out."""
    members(dogs, 50)
    send()
    monkeypatch.setattr(settings, "POSTROAD", dataclasses.replace(settings.POSTROAD, home=small_disk))
    (small_disk / "run").mkdir()

    def script(verb, number, line):
        if verb == "CONNECT" and not number:
            filler = (small_disk / "filler").open("wb", buffering=0)
            with contextlib.suppress(OSError), filler:
                while filler.write(b"x" * 4096):
                    pass

    relay = scripted(script)
    with pytest.raises(OSError, match="No space left"):
        deliver(relay, lambda: False, monkeypatch)
    assert len(relay.messages) <= 8
    assert Job.objects.get().state == Job.State.LIVE


def test_a_clean_end_in_the_middle_loses_nothing_and_repeats_nothing(dogs, scripted, monkeypatch):
    """Stopped after the first copies; the next process goes on at once, without waiting for any pause."""
    members(dogs, 200)
    send()
    relay = scripted()
    deliver(relay, lambda: len(relay.messages) > 5, monkeypatch)
    after = scripted()
    deliver(after, finished, monkeypatch, seconds=10)
    got = Counter(r for one in (relay, after) for _, rs, _ in one.messages for r in rs)
    assert len(got) == 200
    assert set(got.values()) == {1}
