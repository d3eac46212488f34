"""From a mail that came back to a member switched off, reminded, removed or resumed."""

import dataclasses
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.tokens import resume_token, return_path, today, unsubscribe_token
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.storage import actions as storage
from postroad.mailflow.bounces import actions
from postroad.mailflow.bounces.models import BounceEvent, Probe, Receiver
from postroad.mailflow.bounces.worker import work

pytestmark = pytest.mark.django_db(transaction=True)

DSN = (
    "From: mailer-daemon@mx.example.net\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
    "Final-Recipient: rfc822; {email}\r\nAction: failed\r\nStatus: {status}\r\n\r\n--b--\r\n"
)


@pytest.fixture
def ants():
    lists.create_domain("bounce.example")
    mailing_list = lists.create_list("ants@bounce.example")
    lists.change_settings(mailing_list, {"send_welcome_message": False})
    return mailing_list


def member(mailing_list, email="anne@example.org"):
    wishes = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True}
    return subscriptions.join(mailing_list, email, **wishes).member


def came_back(mailing_list, email="anne@example.org", status="5.1.1", to=None, raw=None, at=None):
    """A report reaches the bounce address, by default the keyed one that a copy for this recipient had."""
    data = raw or DSN.format(email=email, status=status).encode()
    path = return_path(mailing_list.address("bounces"), mailing_list.pk, email, today())
    work(
        Envelope(
            journey=queue.new_journey(), message=storage.store(data), message_id="dsn@mx.example.net", kind="bounces",
            received_at=at or time.time(), list_id=mailing_list.list_id, recipient=to or path, size=len(data),
        )
    )  # fmt: skip


def again_days_later(mailing_list, row, days, status="5.1.1"):
    """The next bounce, on another day: what was counted is moved into the past."""
    Member.objects.filter(pk=row.pk).update(last_bounce_received=timezone.now() - timedelta(days=days))
    came_back(mailing_list, status=status)
    actions.judge_events()
    row.refresh_from_db()


def notices_to(address):
    found = [decode(bytes(job.envelope)) for job in Job.objects.filter(queue="pipeline")]
    return [storage.load(e.message).decode("utf-8", "replace") for e in found if address in e.recipients or not address]


def test_a_bounce_counts_once_a_day(ants):
    row = member(ants)
    came_back(ants)
    came_back(ants)
    actions.judge_events()
    row.refresh_from_db()
    assert row.bounce_score == 1
    assert sorted(BounceEvent.objects.values_list("outcome", flat=True)) == ["counted today already", "score 1"]


@pytest.mark.parametrize("to", ["ants-bounces@bounce.example", "ants-bounces+anne=example.org@bounce.example"])
def test_a_forged_report_counts_nothing(ants, to):
    row = member(ants)
    came_back(ants, to=to)
    came_back(ants, to=f"ants-bounces+anne=example.org={'0' * 20}@bounce.example")
    actions.judge_events()
    row.refresh_from_db()
    assert row.bounce_score == 0
    assert not BounceEvent.objects.exists()
    assert Step.objects.filter(stage="bounces", outcome="ignored").count() == 2


def test_a_key_names_its_recipient_whatever_the_report_says(ants):
    anne, bart = member(ants), member(ants, "bart@example.org")
    came_back(
        ants, email="bart@example.org", to=return_path(ants.address("bounces"), ants.pk, "anne@example.org", today())
    )
    actions.judge_events()
    anne.refresh_from_db()
    bart.refresh_from_db()
    assert (anne.bounce_score, bart.bounce_score) == (1, 0)


def test_an_old_key_counts_nothing(ants):
    row = member(ants)
    came_back(ants, to=return_path(ants.address("bounces"), ants.pk, "anne@example.org", today() - 60))
    actions.judge_events()
    row.refresh_from_db()
    assert row.bounce_score == 0


def test_a_policy_refusal_is_no_fault_of_the_member(ants):
    row = member(ants)
    came_back(ants, status="5.7.26")
    actions.judge_events()
    row.refresh_from_db()
    assert row.bounce_score == 0
    assert BounceEvent.objects.get().outcome == "refused by policy, not counted"


def test_a_full_mailbox_counts_once_in_three_days(ants):
    row = member(ants)
    came_back(ants, status="5.2.2")
    actions.judge_events()
    again_days_later(ants, row, 2, status="5.2.2")
    assert row.bounce_score == 1
    again_days_later(ants, row, 4, status="5.2.2")
    assert row.bounce_score == 2


def test_counting_starts_anew_after_a_quiet_time(ants):
    row = member(ants)
    came_back(ants)
    actions.judge_events()
    again_days_later(ants, row, 9)
    assert row.bounce_score == 1


def test_stale_events_disable_nobody(ants):
    lists.change_settings(ants, {"bounce_score_threshold": 1})
    row = member(ants)
    came_back(ants, at=time.time() - 30 * 86_400)
    actions.judge_events()
    row.refresh_from_db()
    assert row.delivery_status is None
    assert BounceEvent.objects.get().outcome == "stale, not counted"


def test_at_the_threshold_a_probe_is_sent_and_only_its_return_switches_off(ants):
    lists.change_settings(ants, {"bounce_score_threshold": 1})
    row = member(ants)
    came_back(ants)
    actions.judge_events()
    row.refresh_from_db()
    assert row.delivery_status is None
    (probe,) = (decode(bytes(j.envelope)) for j in Job.objects.filter(queue="pipeline"))
    assert probe.recipients == ("anne@example.org",)
    came_back(ants, to=probe.envelope_sender)
    actions.judge_events()
    row.refresh_from_db()
    assert row.delivery_status == "by_bounces"
    assert not Probe.objects.exists()
    came_back(ants, to=probe.envelope_sender)
    assert Step.objects.filter(reason="an unknown or outdated probe").exists()


def test_a_probe_that_comes_back_from_a_former_address_leaves_the_new_one_alone(ants):
    lists.change_settings(ants, {"bounce_score_threshold": 1})
    row = member(ants)
    came_back(ants)
    actions.judge_events()
    (probe,) = (decode(bytes(j.envelope)) for j in Job.objects.filter(queue="pipeline"))
    new = people.add_address(row.address.user, "anne@new.example")
    people.verify(new)
    subscriptions.change_member(row, address=new.email)
    came_back(ants, to=probe.envelope_sender)
    actions.judge_events()
    row.refresh_from_db()
    assert row.delivery_status is None
    assert Step.objects.filter(reason="the probe to anne@example.org came back").exists()
    assert BounceEvent.objects.get(context="probe").outcome == "not a member"


def test_what_came_back_from_one_address_is_not_held_against_the_next(ants, off):
    new = people.add_address(off.address.user, "anne@new.example")
    people.verify(new)
    Member.objects.filter(pk=off.pk).update(bounce_score=3, total_warnings_sent=2)
    off.refresh_from_db()
    subscriptions.change_member(off, address=off.email)
    off.refresh_from_db()
    assert (off.delivery_status, off.bounce_score) == ("by_bounces", 3), "the same address again"
    subscriptions.change_member(off, address=new.email)
    off.refresh_from_db()
    assert (off.delivery_status, off.bounce_score, off.total_warnings_sent) == (None, 0, 0)


@pytest.fixture
def off(ants):
    """A member whom bounces switched off."""
    row = member(ants)
    event = BounceEvent(mailing_list=ants, email="anne@example.org", cause="address", message="0" * 64)
    event.context = "probe"
    event.domain = "example.org"
    event.save()
    actions.judge_events()
    row.refresh_from_db()
    assert row.delivery_status == "by_bounces"
    return row


def test_reminders_come_weekly_and_then_the_membership_ends(ants, off):
    for reminders in (1, 2, 3):
        actions.remind_and_remove()
        actions.remind_and_remove()
        off.refresh_from_db()
        assert off.total_warnings_sent == reminders
        Member.objects.filter(pk=off.pk).update(last_warning_sent=timezone.now() - timedelta(days=8))
    actions.remind_and_remove()
    assert not Member.objects.filter(pk=off.pk).exists()


def test_without_reminders_the_membership_ends_at_once(ants, off):
    lists.change_settings(ants, {"bounce_you_are_disabled_warnings": 0})
    actions.remind_and_remove()
    assert not Member.objects.filter(pk=off.pk).exists()


def test_the_link_of_a_reminder_switches_delivery_on_by_post_only(ants, off):
    actions.remind_and_remove()
    url = f"/lists/{ants.list_id}/resume/{resume_token(ants.pk, off.pk)}"
    assert any(url in text.replace("=\r\n", "").replace("=3D", "=") for text in notices_to("anne@example.org"))
    client = Client()
    assert client.get(url).status_code == 200
    off.refresh_from_db()
    assert off.delivery_status == "by_bounces"
    assert client.post(url).status_code == 200
    off.refresh_from_db()
    assert (off.delivery_status, off.total_warnings_sent) == (None, 0)


def test_a_wrong_resume_link_tells_nothing(ants, off):
    assert Client().get(f"/lists/{ants.list_id}/resume/{'0' * 40}").status_code == 404
    assert Client().get(f"/lists/{ants.list_id}/resume/é").status_code == 404


def test_a_receiver_that_refuses_everybody_is_one_event(ants, settings):
    """The site's owner reads it once, in the site's language."""
    site = dataclasses.replace(settings.POSTROAD.site, language="de")
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, site=site)
    rows = [member(ants, f"p{n}@big.example") for n in range(12)]
    for n in range(12):
        came_back(ants, f"p{n}@big.example")
    actions.judge_events()
    assert set(Member.objects.filter(pk__in=[r.pk for r in rows]).values_list("bounce_score", flat=True)) == {0}
    assert Receiver.objects.get().domain == "big.example"
    assert BounceEvent.objects.filter(outcome="the receiver refuses everybody").count() == 12
    assert sum("big.example weist unsere Mail ab" in text for text in notices_to("")) == 1


def test_a_domain_that_stays_dead_counts_after_three_days(ants):
    rows = [member(ants, f"p{n}@dead.example") for n in range(12)]
    now = timezone.now()
    Receiver.objects.create(domain="dead.example", since=now - timedelta(days=4), last=now - timedelta(days=1))
    for n in range(12):
        came_back(ants, f"p{n}@dead.example")
    actions.judge_events()
    assert set(Member.objects.filter(pk__in=[r.pk for r in rows]).values_list("bounce_score", flat=True)) == {1}


@pytest.mark.parametrize(
    ("where", "outcome"),
    [
        ("discard", "dropped"),
        ("administrators", "forwarded to the owners"),
        ("site_owner", "forwarded to postmaster@localhost.localdomain"),
    ],
)
def test_what_nobody_understands_goes_where_the_list_says(ants, where, outcome):
    lists.change_settings(ants, {"forward_unrecognized_bounces_to": where})
    came_back(ants, raw=b"From: someone@example.net\r\nSubject: What\r\n\r\nSomething happened.\r\n")
    assert Step.objects.get(stage="bounces").reason == outcome


def test_a_flood_of_noise_reaches_the_owners_only_so_often(ants):
    for n in range(actions.UNKNOWN_A_DAY + 5):
        came_back(ants, raw=f"From: someone@example.net\r\nSubject: {n}\r\n\r\nSomething happened.\r\n".encode())
    assert Job.objects.filter(queue="pipeline").count() == actions.UNKNOWN_A_DAY


def test_a_list_that_does_not_process_bounces_drops_them(ants):
    lists.change_settings(ants, {"process_bounces": False})
    member(ants)
    came_back(ants)
    assert not BounceEvent.objects.exists()


def complaint(link):
    return (
        "From: fbl@receiver.example\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Hello\r\nList-Unsubscribe: <{link}>\r\n\r\nt\r\n--b--\r\n"
    ).encode()


def test_a_complaint_ends_the_membership_its_link_names(ants):
    anne, bart = member(ants), member(ants, "bart@example.org")
    link = f"https://lists.example/lists/{ants.list_id}/unsubscribe/{unsubscribe_token(ants.pk, anne.pk)}"
    came_back(ants, to="ants-bounces@bounce.example", raw=complaint(link))
    assert not Member.objects.filter(pk=anne.pk).exists()
    assert Member.objects.filter(pk=bart.pk).exists()


def test_a_forged_complaint_ends_nothing(ants):
    anne = member(ants)
    link = f"https://lists.example/lists/{ants.list_id}/unsubscribe/{anne.pk:08x}{'0' * 32}"
    came_back(ants, to="ants-bounces@bounce.example", raw=complaint(link))
    assert Member.objects.filter(pk=anne.pk).exists()


def test_judging_costs_the_same_queries_for_every_event(ants, django_assert_max_num_queries):
    for n in range(30):
        came_back(ants, f"stranger{n}@example.org")
    with django_assert_max_num_queries(30 * 2 + 10):
        actions.judge_events()
