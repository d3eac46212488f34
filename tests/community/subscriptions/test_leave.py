"""Who must say yes before a membership ends, and how it is taken back (facts: mail-flow §25, security T26)."""

import pytest

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions, queries
from postroad.community.subscriptions.consent import Origin
from postroad.community.subscriptions.models import Member, Pending
from postroad.foundation.errors import Conflict, NotFound

pytestmark = pytest.mark.django_db

MAIL = Origin("mail", "m1@example.org")

# c is the member's confirmation, a a moderator's approval.
WAYS = {
    #                        by REST  nothing  approved before
    "open": ("", "", ""),
    "confirm": ("", "c", "c"),
    "moderate": ("a", "a", ""),
    "confirm_then_moderate": ("", "ca", "ca"),
}
WISHES = ({}, {"pre_confirmed": False}, {"pre_confirmed": False, "pre_approved": True})


@pytest.fixture
def anne(ants, mails):
    row = actions.join(ants, "anne@example.org", pre_verified=True, pre_confirmed=True).member
    mails()
    return row


@pytest.mark.parametrize(
    ("policy", "wishes", "way"),
    [(policy, wishes, way) for policy, ways in WAYS.items() for wishes, way in zip(WISHES, ways, strict=True)],
)
def test_each_policy_asks_whom_it_must(ants, anne, mails, policy, wishes, way):
    lists.change_settings(ants, {"unsubscription_policy": policy})
    outcome = actions.leave(queries.member_of(ants, "anne@example.org"), **wishes)
    for step in way:
        assert queries.member_of(ants, "anne@example.org")
        if step == "c":
            assert outcome.token_owner == "subscriber"
            outcome = actions.confirm(mails()[0].secret)
        else:
            assert outcome.token_owner == "moderator"
            outcome = actions.decide(Pending.objects.get(token=outcome.token), "accept")
    assert not queries.member_of(ants, "anne@example.org")
    assert not Pending.objects.exists()
    assert "left" in mails()[-1].subject


def test_asking_to_leave_twice_makes_one_request(ants, anne, mails):
    first = actions.leave(anne, pre_confirmed=False, origin=MAIL)
    again = actions.leave(anne, pre_confirmed=False, origin=MAIL)
    assert first.token == again.token
    assert Pending.objects.count() == 1
    assert len(mails()) == 1


def test_who_left_meanwhile_has_nothing_to_confirm(ants, anne, mails):
    actions.leave(anne, pre_confirmed=False)
    (mail,) = mails()
    anne.delete()
    assert actions.confirm(mail.secret).member is None


@pytest.mark.parametrize("end", [actions.end_by_link, actions.remove, "many"])
def test_a_request_to_leave_ends_with_the_membership_it_was_about(ants, anne, end):
    """Else a moderator who accepts it later takes away the membership of who joined again."""
    lists.change_settings(ants, {"unsubscription_policy": "moderate"})
    actions.leave(anne)
    actions.set_options(anne, {"hide_address": True}, proved=False, origin=MAIL)
    assert Pending.objects.count() == 2
    actions.remove_members(ants, ["Anne@example.org"]) if end == "many" else end(anne)
    assert not Pending.objects.exists()


def test_a_leave_in_person_can_be_taken_back_as_it_was(ants, mails):
    lists.change_settings(ants, {"unsubscription_policy": "open"})
    row = actions.join(
        ants, "anne@example.org", pre_verified=True, pre_confirmed=True, delivery_mode="mime_digests"
    ).member
    people.set_preferences(row, {"hide_address": False})
    actions.change_member(row, moderation_action="hold")
    mails()
    outcome = actions.leave(row, pre_confirmed=False, origin=MAIL)
    (goodbye,) = mails()
    assert f"/lists/ants.join.example/confirm/{outcome.token}" in goodbye.text
    back = actions.confirm(outcome.token).member
    assert (back.delivery_mode, back.hide_address, back.moderation_action) == ("mime_digests", False, "hold")
    assert not mails()
    with pytest.raises(NotFound):
        actions.confirm(outcome.token)


def test_what_a_moderator_ended_cannot_be_taken_back(ants, anne, mails):
    assert actions.leave(anne, pre_approved=True).token is None
    assert not Pending.objects.exists()
    assert "confirm/" not in mails()[0].text


def test_who_joined_again_cannot_take_the_leave_back(ants, anne):
    secret = actions.end_by_link(anne, MAIL).token
    actions.join(ants, "anne@example.org", pre_verified=True, pre_confirmed=True)
    with pytest.raises(Conflict):
        actions.confirm(secret)


def test_the_link_of_one_click_asks_nobody(ants, anne):
    lists.change_settings(ants, {"unsubscription_policy": "confirm_then_moderate"})
    actions.end_by_link(anne, MAIL)
    assert not Member.objects.exists()


def test_many_are_removed_in_silence_by_a_few_queries(ants, mails, django_assert_max_num_queries):
    emails = [f"u{number}@example.org" for number in range(40)]
    for email in emails:
        actions.join(ants, email, pre_verified=True, pre_confirmed=True, send_welcome_message=False)
    with django_assert_max_num_queries(60):
        results = actions.remove_members(ants, [*emails, "nobody@example.org"])
    assert results == {**dict.fromkeys(emails, True), "nobody@example.org": False}
    assert not Member.objects.exists()
    assert not mails()
