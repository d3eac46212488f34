"""Nobody is flooded by others' requests, and what people agreed to can be proved (facts: security T1, T2, T7)."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from postroad.community.lists import actions as lists
from postroad.community.notices import limits
from postroad.community.notices.models import AutoResponse
from postroad.community.subscriptions import actions, consent
from postroad.community.subscriptions.consent import Origin
from postroad.community.subscriptions.models import Attempt, Consent, Member, Pending
from postroad.foundation.errors import Conflict, NotFound, TooMany

pytestmark = pytest.mark.django_db


def bomb(all_lists, victims, requests, networks):
    """So many requests in a round, each network asking for every victim on every list."""
    refused = 0
    for number in range(requests):
        origin = Origin("web", f"10.{number % networks // 250}.{number % networks % 250}.7")
        mailing_list = all_lists[number % len(all_lists)]
        try:
            actions.join(mailing_list, victims[number // 7 % len(victims)], origin=origin)
        except TooMany:
            refused += 1
    return refused


def test_subscription_bombing_is_three_mails_for_each_victim(mails):
    lists.create_domain("bomb.example")
    all_lists = [lists.create_list(f"l{number}@bomb.example") for number in range(20)]
    victims = [f"victim{number}@example.org" for number in range(10)]
    refused = bomb(all_lists, victims, 240, 20)
    assert refused == 240 - 20 * consent.REQUESTS_AN_HOUR
    assert len(mails()) <= 30
    assert Pending.objects.count() <= 30
    for number in range(20):  # Honest ones in the midst of it.
        actions.join(all_lists[number], f"honest{number}@example.org", origin=Origin("web", f"192.0.2.{number}"))
    confirmations = mails()
    assert len(confirmations) == 20
    for mail in confirmations:
        actions.confirm(mail.secret)
    assert Member.objects.count() == 20


def test_bombing_by_mail_has_the_same_end(mails):
    lists.create_domain("bomb.example")
    for number in range(12):
        mailing_list = lists.create_list(f"l{number}@bomb.example")
        for tag in ("", "+a", "+b"):
            actions.join(mailing_list, f"victim{tag}@example.org", origin=Origin("mail", "m@x"))
    assert len(mails()) == 3


def test_networks_of_ipv6_are_counted_by_64(ants):
    for number in range(consent.REQUESTS_AN_HOUR):
        actions.join(ants, f"a{number}@example.org", origin=Origin("web", f"2001:db8:1:2::{number}"))
    with pytest.raises(TooMany):
        actions.join(ants, "b@example.org", origin=Origin("web", "2001:db8:1:2:ffff::1"))
    actions.join(ants, "b@example.org", origin=Origin("web", "2001:db8:1:3::1"))


def test_the_question_says_nothing_the_asker_chose(ants, mails):
    actions.join(ants, "victim@example.org", display_name="BUY THIS http://evil.example", origin=Origin("web", "x"))
    (mail,) = mails()
    assert "evil" not in mail.text
    assert "BUY" not in mail.text
    assert "Auto-Submitted: auto-generated" in mail.text


def test_asked_again_the_next_day_the_old_secret_is_worthless(ants, mails):
    actions.join(ants, "anne@example.org", origin=Origin("web", "192.0.2.1"))
    first = mails()[0].secret
    AutoResponse.objects.update(day=timezone.now().date() - timedelta(days=1))
    actions.join(ants, "anne@example.org", origin=Origin("web", "192.0.2.1"), delivery_mode="mime_digests")
    second = mails()[0].secret
    with pytest.raises(NotFound):
        actions.confirm(first)
    assert actions.confirm(second).member.delivery_mode == "mime_digests"


def test_over_rest_a_waiting_request_is_a_conflict(ants):
    actions.join(ants, "anne@example.org")
    with pytest.raises(Conflict):
        actions.join(ants, "anne@example.org")


def test_never_again_is_for_every_list_of_the_site(ants, mails):
    other = lists.create_list("bees@join.example")
    actions.join(ants, "anne@example.org", origin=Origin("mail", "m"))
    actions.never_again(mails()[0].secret)
    AutoResponse.objects.all().delete()
    actions.join(other, "anne+x@example.org", origin=Origin("mail", "m"))
    assert not mails()
    assert not Pending.objects.exists()
    limits.hear_again("anne@example.org")
    actions.join(other, "anne@example.org", origin=Origin("mail", "m"))
    assert len(mails()) == 1


def test_every_step_to_a_membership_is_kept_as_proof(ants, mails):
    lists.change_settings(ants, {"subscription_policy": "confirm_then_moderate"})
    actions.join(ants, "anne@example.org", origin=Origin("web", "192.0.2.9"))
    outcome = actions.confirm(mails()[0].secret, origin=Origin("mail", "answer@example.org"))
    actions.decide(Pending.objects.get(token=outcome.token), "accept", origin=Origin("web", "olga@example.org"))
    steps = list(Consent.objects.order_by("pk").values_list("event", "surface", "evidence"))
    assert steps == [
        ("asked", "web", "192.0.2.9"),
        ("confirmed", "mail", "answer@example.org"),
        ("approved", "web", "olga@example.org"),
        ("joined", "web", "olga@example.org"),
    ]


def test_old_counters_and_proofs_of_the_long_gone_are_dropped(ants):
    long_ago = timezone.now() - timedelta(days=1200)
    for email, event, at in (
        ("gone@x.org", "joined", long_ago),
        ("gone@x.org", "left", long_ago),
        ("is@x.org", "joined", long_ago),
    ):
        Consent.objects.create(list_id=ants.list_id, email=email, event=event, surface="web", at=at)
    Consent.objects.create(list_id=ants.list_id, email="gone@x.org", event="joined", surface="web")
    Attempt.objects.create(network="192.0.2.1", hour=int(time.time() // 3600) - 5, count=9)
    consent.forget_old()
    assert not Attempt.objects.exists()
    assert sorted(Consent.objects.values_list("email", flat=True)) == ["gone@x.org", "is@x.org"]


def test_a_secret_of_one_list_is_nothing_to_another(ants, mails):
    other = lists.create_list("bees@join.example")
    actions.join(ants, "anne@example.org")
    secret = mails()[0].secret
    with pytest.raises(NotFound):
        actions.confirm(secret, other)
    assert actions.confirm(secret, ants).member
