"""Held posts: what is kept and told, a moderator's word by any way, and the end of those nobody decides about."""

import email
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.db.models.signals import pre_delete

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.foundation.errors import BadInput, NotAllowed, NotFound
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation import answers
from postroad.mailflow.moderation.actions import answer_hold, decide, discard_expired
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.worker import work

from .conftest import mail, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def quiet(ant):
    """The ants tell nobody that a post waits."""
    lists.change_settings(ant, {"admin_immed_notify": False, "respond_to_post_requests": False})


@pytest.fixture
def come_in(ant):
    """Let a mail to the ants come in and be judged."""

    def run(raw=None, **envelope):
        raw = raw or mail()
        work(post(ant, raw, message=storage.store(raw), **envelope).envelope)

    return run


def waiting():
    """The queue's mails, as (kind, recipients, header and decoded parts)."""
    envelopes = [decode(job.envelope) for job in Job.objects.order_by("id")]
    return [(e.kind, e.recipients, readable(storage.load(e.message))) for e in envelopes]


def readable(raw: bytes) -> bytes:
    parts = (part for part in email.message_from_bytes(raw).walk() if not part.is_multipart())
    return raw + b"\n".join(part.get_payload(decode=True) for part in parts)


def outcomes():
    return [s.outcome for s in queue.steps_of("one@example.org") if s.stage == "moderation"]


@pytest.fixture
def token(ant, come_in):
    """A post waits; this is the secret in the notice."""
    come_in()
    (notice,) = (raw for kind, _, raw in waiting() if kind == "owner")
    Job.objects.all().delete()
    return re.search(rb"^Subject: confirm ([0-9a-f]{40})\r?$", notice, re.MULTILINE)[1].decode()


def test_a_held_post_is_kept_with_what_was_known(ant, quiet, come_in):
    come_in()
    held = HeldMessage.objects.get()
    assert (held.request_id, held.sender, held.subject) == (1, "anne@example.org", "Hello")
    assert held.reason == "The message is not from a list member"
    assert storage.load(held.message) == mail()
    envelope = decode(bytes(held.envelope))
    assert envelope.rule_hits == ("nonmember-moderation",)
    assert envelope.moderation_action == "hold"
    assert waiting() == []
    assert outcomes() == ["held"]


def test_an_author_who_is_no_member_becomes_a_nonmember(ant, quiet, come_in):
    come_in(mail(reply_to="other@example.org"))
    assert [m.address.email for m in Member.objects.filter(role="nonmember")] == ["anne@example.org"]


def test_a_dropped_loop_leaves_no_trace_of_its_senders(ant, come_in):
    come_in(mail(list_id="<ant.example.com>"))
    assert not Member.objects.exists()
    assert outcomes() == ["discarded"]


def test_moderators_get_the_post_and_a_mail_to_answer(ant, come_in):
    come_in()
    ((kind, _, notice),) = waiting()
    assert kind == "owner"
    assert b"From: ant-owner@example.com" in notice
    assert notice.count(b"message/rfc822") == 2
    assert b"From: ant-request@example.com" in notice
    assert HeldMessage.objects.get().token_hash is not None


def test_a_flood_of_held_posts_is_no_flood_of_notices(ant, come_in, monkeypatch):
    monkeypatch.setattr(answers, "MOST_NOTICES_A_DAY", 3)
    for _ in range(6):
        come_in()
    notices = [raw for kind, _, raw in waiting() if kind == "owner"]
    assert len(notices) == 3
    assert b"the last notice today" in notices[-1]


def test_a_member_is_told_that_the_post_waits(ant, anne, come_in):
    lists.change_settings(ant, {"admin_immed_notify": False})
    come_in(mail(subject=""))
    assert [(kind, to) for kind, to, _ in waiting()] == [("notice", ("anne@example.org",))]


def test_so_many_times_a_day(ant, anne, come_in):
    lists.change_settings(ant, {"admin_immed_notify": False})
    for _ in range(15):
        come_in(mail(subject=""))
    assert len(waiting()) == 10


@pytest.mark.parametrize("action", ["hold", "reject"])
def test_a_stranger_whose_address_may_be_forged_is_told_nothing(ant, come_in, action):
    lists.change_settings(ant, {"admin_immed_notify": False, "default_nonmember_action": action})
    come_in()
    assert waiting() == []


def test_a_members_address_in_reply_to_causes_no_mail_to_a_stranger(ant, anne, come_in):
    lists.change_settings(ant, {"admin_immed_notify": False, "default_member_action": "reject"})
    come_in(mail(**{"from": "victim@example.net"}, reply_to="anne@example.org"))
    assert waiting() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"auto_submitted": "auto-replied"}, {"precedence": "Bulk"}, {"list_id": "<bee.example.com>"}, {"x_ack": "No"},
        {"x_no_ack": "yes"}, {"return_path": "<>"},
    ],
)  # fmt: skip
def test_machines_are_told_nothing(ant, anne, come_in, fields):
    lists.change_settings(ant, {"admin_immed_notify": False, "default_member_action": "reject"})
    come_in(mail(**fields))
    come_in(sender="")
    assert [to for _, to, _ in waiting()] == []


def test_a_refused_member_is_told_why_and_gets_the_post_back(ant, anne, come_in):
    lists.change_settings(ant, {"default_member_action": "reject"})
    come_in()
    ((kind, to, notice),) = waiting()
    assert (kind, to) == ("notice", ("anne@example.org",))
    assert b"From: ant-owner@example.com" in notice
    assert b"Subject: Hello" in notice
    assert b"The message comes from a moderated member" in notice
    assert b"this is a post." in notice
    assert outcomes() == ["rejected"]


def test_the_password_of_a_held_post_is_in_no_notice(ant, anne, come_in):
    lists.change_settings(ant, {"moderator_password": make_password("right")})
    come_in(b"Approved: wr0ng\r\n" + mail(subject=""))
    assert all(b"wr0ng" not in raw for _, _, raw in waiting())
    assert b"wr0ng" not in storage.load(HeldMessage.objects.get().message)


# --- a moderator's word


def test_accept_sends_the_post_on_and_past_the_rules(ant, quiet, come_in):
    come_in()
    assert decide(HeldMessage.objects.get(), "accept", by="olga@example.com") == "accepted"
    (job,) = Job.objects.all()
    envelope = decode(job.envelope)
    assert job.queue == "pipeline"
    assert envelope.approved
    assert envelope.approved_at
    assert not HeldMessage.objects.exists()
    assert outcomes() == ["held", "accepted"]
    assert queue.steps_of("one@example.org")[-1].reason == "by olga@example.com"


def test_reject_tells_the_author_the_comment(ant, quiet, come_in):
    come_in()
    decide(HeldMessage.objects.get(), "reject", "No ads here.")
    ((_, to, notice),) = waiting()
    assert to == ("anne@example.org",)
    assert b"No ads here." in notice
    assert b'titled "Hello"' in notice


def test_discard_tells_nobody(ant, quiet, come_in):
    come_in()
    decide(HeldMessage.objects.get(), "discard")
    assert waiting() == []
    assert outcomes() == ["held", "discarded"]


@pytest.mark.parametrize("action", ["defer", "hold"])
def test_defer_and_hold_leave_it_where_it_is(ant, quiet, come_in, action):
    come_in()
    decide(HeldMessage.objects.get(), action)
    assert HeldMessage.objects.count() == 1


def test_a_held_post_can_be_forwarded(ant, quiet, come_in):
    come_in()
    decide(HeldMessage.objects.get(), "discard", forward=["zoe@example.net"])
    ((_, to, notice),) = waiting()
    assert to == ("zoe@example.net",)
    assert b"this is a post." in notice


def test_two_moderators_cannot_send_it_twice(ant, quiet, come_in):
    come_in()
    one, other = HeldMessage.objects.get(), HeldMessage.objects.get()
    decide(one, "accept")
    with pytest.raises(NotFound, match="meanwhile"):
        decide(other, "accept")
    assert Job.objects.count() == 1


def test_another_word_is_refused(ant, quiet, come_in):
    come_in()
    with pytest.raises(BadInput):
        decide(HeldMessage.objects.get(), "burn")


# --- by mail


def test_the_bare_answer_drops_the_post(token):
    assert answer_hold(token) == "discarded"
    with pytest.raises(NotFound):
        answer_hold(token)


def test_the_password_accepts_it(ant, token):
    lists.change_settings(ant, {"moderator_password": make_password("secret")})
    with pytest.raises(NotAllowed, match="still waits"):
        answer_hold(token, password="wrong")
    assert answer_hold(token, password="secret") == "accepted"


def test_a_password_where_the_list_has_none_opens_nothing(token):
    with pytest.raises(NotAllowed):
        answer_hold(token, password="secret")


def test_accepting_needs_the_password_or_a_moderator(ant, token):
    with pytest.raises(NotAllowed, match="Approved"):
        answer_hold(token, action="accept", moderator="olga@example.org")
    subscriptions.join(
        ant, "olga@example.org", role="moderator", pre_verified=True, pre_confirmed=True, pre_approved=True
    )
    assert answer_hold(token, moderator="olga@example.org") == "accepted"


def test_an_answer_may_reject_with_a_reason(token):
    assert answer_hold(token, action="reject", comment="Not here.") == "rejected"
    assert any(b"Not here." in raw for _, _, raw in waiting())


@pytest.mark.parametrize("guess", ["", "0" * 40, "nonsense"])
def test_a_guessed_token_opens_nothing(token, guess):
    with pytest.raises(NotFound):
        answer_hold(guess)
    assert HeldMessage.objects.exists()


def test_the_token_is_kept_hashed(token):
    held = HeldMessage.objects.get()
    assert held.token_hash != token
    assert token.encode() not in bytes(held.envelope)


# --- the daily job


def test_posts_nobody_decides_about_are_dropped_where_the_list_says_so(ant, quiet, come_in):
    come_in()
    come_in()
    old = HeldMessage.objects.first()
    HeldMessage.objects.filter(pk=old.pk).update(held_at=datetime.now(UTC) - timedelta(days=6))
    discard_expired()
    assert HeldMessage.objects.count() == 2
    lists.change_settings(ant, {"max_days_to_hold": 5})
    discard_expired()
    assert [held.request_id for held in HeldMessage.objects.all()] == [2]
    assert queue.steps_of("one@example.org")[-1].reason == "by the daily job: nobody decided in 5 days"


def test_the_daily_job_goes_on_where_a_moderator_was_faster(ant, quiet, come_in):
    """A post is accepted while the one before it is dropped; the one behind it is dropped all the same."""
    for _ in range(3):
        come_in()
    HeldMessage.objects.update(held_at=datetime.now(UTC) - timedelta(days=6))
    lists.change_settings(ant, {"max_days_to_hold": 5})

    def be_faster(sender, instance, **_):
        pre_delete.disconnect(be_faster, HeldMessage)
        assert decide(HeldMessage.objects.get(request_id=instance.request_id + 1), "accept") == "accepted"

    pre_delete.connect(be_faster, HeldMessage)
    discard_expired()
    assert not HeldMessage.objects.exists()
    assert sorted(outcomes()[-3:]) == ["accepted", "discarded", "discarded"]


@pytest.mark.parametrize(("wanted", "told"), [(False, 0), (True, 1)])
def test_moderators_see_what_a_stranger_s_post_was_thrown_away_where_they_want_that(ant, come_in, wanted, told):
    subscriptions.join(ant, "olga@example.net", role="owner")
    lists.change_settings(ant, {"default_nonmember_action": "discard", "forward_auto_discards": wanted})
    come_in()
    assert outcomes() == ["discarded"]
    notices = [(to, raw) for kind, to, raw in waiting() if kind == "notice"]
    assert len(notices) == told
    for to, raw in notices:
        assert to == ("olga@example.net",)
        assert b"Subject: Discarded: Hello" in raw
        assert mail().rstrip() in raw


def test_a_flood_of_discarded_posts_is_no_flood_of_mail(ant, come_in, monkeypatch):
    monkeypatch.setattr("postroad.mailflow.moderation.answers.MOST_NOTICES_A_DAY", 3)
    subscriptions.join(ant, "olga@example.net", role="owner")
    lists.change_settings(ant, {"default_nonmember_action": "discard", "forward_auto_discards": True})
    for _ in range(6):
        come_in()
    assert len(waiting()) == 3
