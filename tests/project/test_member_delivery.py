"""Asked at night why somebody gets no mail, one command tells: who chose it, what came back, what waits and why."""

import json
import time
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.utils import timezone

from postroad.community.people.actions import set_preferences
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.errors import NotFound
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.bounces.models import BounceEvent, Probe, Receiver
from postroad.mailflow.delivery.chunks import Recipient, Results, pack_recipients, pack_results
from postroad.mailflow.delivery.models import Dispatch
from postroad.project import cli
from postroad.project.commands import member as command

pytestmark = pytest.mark.django_db

AT_ONCE = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}


@pytest.fixture
def ask(monkeypatch):
    monkeypatch.setattr(cli, "open_home", lambda home: None)

    def run(*words):
        done = CliRunner().invoke(command.command, ["delivery", *words])
        if done.exception:
            raise done.exception
        return done.output

    return run


@pytest.fixture
def anne(ant):
    return subscriptions.join(ant, "anne@example.org", **AT_ONCE).member


def dispatched(ant, message_id, recipients, replies=(), *, cut=True, error=""):
    """A mail of the list on its way: one chunk, done where there are replies."""
    now = time.time()
    dispatch = Dispatch.objects.create(
        journey="j", list_id=ant.list_id, message_id=message_id, template="t", envelope=b"", created_at=now,
        deliver_until=now + 1000, all_cut=cut,
    )  # fmt: skip
    if not recipients:
        return
    results = Results.none(len(recipients))
    for index, reply in enumerate(replies):
        results.set(index, reply)
    chunk = dispatch.chunks.create(
        recipients=pack_recipients(recipients), results=pack_results(results), done=bool(replies)
    )
    if not replies:
        envelope = Envelope(
            journey="j", message="m", message_id=message_id, received_at=now, list_id=ant.list_id, chunk=chunk.pk
        )
        queue.put("delivery", envelope, now + 600, error)


def test_it_tells_what_is_sent_and_what_waits_for_a_member(ant, anne, ask):
    bert = subscriptions.join(ant, "bert@example.org", **AT_ONCE).member
    both = [Recipient(bert.pk, "bert@example.org"), Recipient(anne.pk, "anne@example.org")]
    dispatched(ant, "one@x", both, ["250 Ok bert", "550 no anne"])
    dispatched(ant, "two@x", both, error="Traceback\n451 4.2.2 come again")
    dispatched(ant, "three@x", [], cut=False)
    (told,) = json.loads(ask("Anne@Example.org", "--json"))
    assert (told["list_id"], told["gets"], told["why"]) == (ant.list_id, "posts", "delivery is on")
    assert [(one["message_id"], one["reply"]) for one in told["waiting"]] == [
        ("two@x", "451 4.2.2 come again"), ("three@x", "its turn has not come"),
    ]  # fmt: skip
    assert [(one["message_id"], one["reply"]) for one in told["latest"]] == [("one@x", "550 no anne")]
    assert "<two@x>  451 4.2.2 come again" in ask("anne@example.org", "--list", ant.list_id)


def test_it_tells_who_switched_delivery_off_and_on_which_level(ant, anne, ask):
    def verdict():
        (told,) = json.loads(ask("anne@example.org", "--json"))
        return told["gets"], told["why"]

    set_preferences(anne.address.user, {"delivery_status": "by_moderator"})
    assert verdict() == ("nothing", "switched off by a moderator, for all lists of the user")
    set_preferences(anne.address, {"delivery_status": "by_user"})
    assert verdict() == ("nothing", "switched off by the member, for all lists of the address")
    set_preferences(anne, {"delivery_status": "enabled", "delivery_mode": "mime_digests"})
    assert verdict() == ("mime_digests", "delivery is on, for this list")


def test_it_tells_what_came_back_and_of_a_probe_under_way(ant, anne, ask):
    now = timezone.now()
    for days, said, outcome in ((2, "first", "score 1"), (1, "no such user", "probe sent")):
        BounceEvent.objects.create(
            mailing_list=ant, email="anne@example.org", domain="example.org", at=now - timedelta(days=days),
            cause="address", status="5.1.1", diagnostic=said, message="m", processed=True, outcome=outcome,
        )  # fmt: skip
    anne.bounce_score, anne.last_bounce_received = 3, now - timedelta(days=1)
    anne.save()
    Probe.objects.create(member=anne, email="anne@example.org", token_hash="h")
    Receiver.objects.create(domain="example.org", since=now, last=now, reason="5.7.1 blocked")
    told = ask("anne@example.org")
    for words in ("5.1.1 no such user: probe sent", "3 of 5; 0 reminders sent", "has not come back", "5.7.1 blocked"):
        assert words in told


def test_who_is_no_member_is_told_so(ant, anne, ask):
    with pytest.raises(NotFound, match="no member of any list"):
        ask("nobody@example.org")
