"""Rights that need proof: authenticated senders, the first posts of members, and mail that is built to hurt."""

import dataclasses

import pytest

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.mailflow.moderation.actions import carry_out
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.models import GoodPosts, HeldMessage

from .conftest import mail, post

pytestmark = pytest.mark.django_db

RESULT = {"authentication_results": "mx.example.com; dkim=pass header.d=example.org"}


@pytest.fixture
def asking(ant, anne, settings, name_server):
    """The ants ask for proof, and believe mx.example.com."""
    lists.change_settings(ant, {"authenticate_senders": True})
    changed = dataclasses.replace(settings.POSTROAD.mail, trusted_authserv_ids=("mx.example.com",))
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, mail=changed)


def test_a_member_nobody_vouches_for_is_held(judged, asking):
    verdict = judged(mail())
    assert (verdict.action, verdict.decided_by) == ("hold", "unauthenticated-sender")


def test_a_member_the_mta_vouches_for_may_post(judged, asking):
    assert judged(mail(**RESULT)).action == "accept"


def test_who_is_signed_in_proves_the_one_author_the_mail_names(judged, asking):
    assert judged(mail(), signed_in="anne@example.org").action == "accept"
    for author in ("Anne <anne@example.org>, x@spam.example", "anne@example.org"):
        verdict = judged(mail(**{"from": author}), signed_in="x@spam.example")
        assert verdict.decided_by == "unauthenticated-sender"


def test_even_an_accepted_member_needs_proof(judged, asking, anne):
    subscriptions.change_member(anne, moderation_action="accept")
    assert judged(mail()).decided_by == "unauthenticated-sender"


def test_rights_come_by_from_alone(judged, asking):
    """A stranger who is vouched for gains nothing by a member's address in Reply-To."""
    proof = {"authentication_results": "mx.example.com; dkim=pass header.d=spam.example"}
    verdict = judged(mail(**{"from": "x@spam.example", "reply-to": "anne@example.org"}, **proof))
    assert verdict.decided_by == "nonmember-moderation"


def test_a_stranger_is_judged_as_one(judged, asking):
    verdict = judged(mail(**{"from": "x@spam.example"}), {"default_nonmember_action": "discard"})
    assert (verdict.action, verdict.decided_by) == ("discard", "nonmember-moderation")


def test_strangers_with_rights_need_proof_too(judged, asking):
    config = {"accept_these_nonmembers": ["^x@"]}
    assert judged(mail(**{"from": "x@spam.example"}), config).decided_by == "unauthenticated-sender"


def test_a_list_that_does_not_ask_takes_members_as_they_come(judged, anne):
    assert judged(mail()).action == "accept"


def test_first_posts_of_a_member_are_held_until_enough_were_accepted(ant, anne):
    from postroad.mailflow.moderation.actions import decide

    lists.change_settings(ant, {"moderate_first_posts": 2})
    for number in range(2):
        made = post(ant, mail(), message_id=f"{number}@example.org")
        verdict = judge(made)
        assert (verdict.action, verdict.decided_by) == ("hold", "member-moderation")
        carry_out(made, verdict)
        decide(HeldMessage.objects.get(), "accept")
    made = post(ant, mail())
    assert judge(made).action == "accept"
    carry_out(made, judge(made))
    assert GoodPosts.objects.get().count == 2


def test_a_rejected_post_was_not_good(ant, anne):
    from postroad.mailflow.moderation.actions import decide

    lists.change_settings(ant, {"moderate_first_posts": 1})
    made = post(ant, mail())
    carry_out(made, judge(made))
    decide(HeldMessage.objects.get(), "reject")
    assert judge(post(ant, mail())).action == "hold"


def test_a_member_a_moderator_trusts_is_not_watched(judged, anne):
    subscriptions.change_member(anne, moderation_action="defer")
    assert judged(mail(), {"moderate_first_posts": 5}).action == "accept"


def test_a_reason_for_moderated_members_is_told_when_their_posts_are_rejected(judged, anne):
    config = {"default_member_action": "reject", "member_moderation_notice": "Announcements only."}
    assert judged(mail(), config).reasons == ("Announcements only.",)


def test_a_reason_for_strangers_is_told_when_their_posts_are_rejected(judged):
    config = {"default_nonmember_action": "reject", "nonmember_rejection_notice": "Join first."}
    assert judged(mail(), config).reasons == ("Join first.",)


@pytest.mark.parametrize(
    "raw",
    [
        b"Received: by x; today\r\n" * 101 + mail(),
        mail(b"--b\r\n\r\n" * 1001, content_type="multipart/mixed; boundary=b"),
        b"X-Long: " + b"x" * 1_000_001 + b"\r\n" + mail(),
    ],
    ids=["hops", "parts", "header"],
)
def test_too_complex_holds_what_is_built_to_hurt(judged, anne, raw):
    assert judged(raw).decided_by == "too-complex"


def test_a_hundred_hops_are_not_too_many(judged, anne):
    assert judged(b"Received: by x; today\r\n" * 100 + mail()).action == "accept"


def test_digests_holds_answers_to_a_digest_where_the_site_wants_it(judged, anne, ant, settings):
    raw = mail(subject="Re: Ant Digest, Vol 3, Issue 12")
    assert judged(raw).action == "accept"
    changed = dataclasses.replace(settings.POSTROAD.mail, hold_digest=True)
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, mail=changed)
    assert judged(raw).decided_by == "digests"
    assert judged(mail(subject="Digest, Vol 3")).action == "accept"
    quoted = b'> Posts to Ant go to\r\n>    ant@example.com\r\n> To join or leave by mail, write "help" to\r\n'
    assert judged(mail(quoted)).action == "accept"
    assert judged(mail(quoted + b">    ant-request@example.com\r\n")).decided_by == "digests"
