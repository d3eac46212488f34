"""Who must say yes before an address is a member: every policy with every wish (facts: mail-flow §24)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from postroad.community.bans.actions import ban
from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions, queries
from postroad.community.subscriptions.models import Member, Pending
from postroad.foundation.errors import BadInput, Conflict, NotFound

pytestmark = pytest.mark.django_db

# What stands between the wish and the membership: c is the subscriber's confirmation, a a moderator's approval.
WAYS = {
    #                        nothing  V     V+C   V+A   V+C+A
    "open": ("c", "", "", "", ""),
    "confirm": ("c", "c", "", "c", ""),
    "moderate": ("ca", "a", "a", "", ""),
    "confirm_then_moderate": ("ca", "ca", "a", "c", ""),
}
WISHES = ((), ("verified",), ("verified", "confirmed"), ("verified", "approved"), ("verified", "confirmed", "approved"))


@pytest.mark.parametrize(
    ("policy", "wishes", "way"),
    [(policy, wishes, way) for policy, ways in WAYS.items() for wishes, way in zip(WISHES, ways, strict=True)],
)
def test_each_policy_asks_whom_it_must(ants, mails, policy, wishes, way):
    lists.change_settings(ants, {"subscription_policy": policy})
    outcome = actions.join(ants, "anne@example.org", **{f"pre_{wish}": True for wish in wishes})
    for step in way:
        assert outcome.member is None
        assert not queries.member_of(ants, "anne@example.org")
        pending = Pending.objects.get(token=outcome.token)
        if step == "c":
            assert outcome.token_owner == "subscriber"
            (mail,) = mails()
            assert mail.to == ("anne@example.org",)
            outcome = actions.confirm(mail.secret)
        else:
            assert outcome.token_owner == "moderator"
            outcome = actions.decide(pending, "accept")
    assert outcome.member == queries.member_of(ants, "anne@example.org")
    assert not Pending.objects.exists()
    assert Member.objects.get().address.verified_on is not None


def test_who_was_invited_only_has_to_accept(ants, mails):
    lists.change_settings(ants, {"subscription_policy": "confirm_then_moderate"})
    actions.join(ants, "anne@example.org", invitation=True)
    (mail,) = mails()
    assert "invited" in mail.subject
    assert actions.confirm(mail.secret).member is not None


def test_a_token_works_once(ants, mails):
    actions.join(ants, "anne@example.org")
    secret = mails()[0].secret
    actions.confirm(secret)
    with pytest.raises(NotFound):
        actions.confirm(secret)


def test_a_token_is_not_kept_where_it_could_be_read(ants, mails):
    outcome = actions.join(ants, "anne@example.org")
    secret = mails()[0].secret
    row = Pending.objects.get()
    assert len(secret) == 40
    assert secret not in (row.token, row.token_hash, outcome.token)
    with pytest.raises(NotFound):
        actions.confirm(outcome.token)


def test_an_old_token_is_worth_nothing(ants, mails):
    actions.join(ants, "anne@example.org")
    Pending.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotFound):
        actions.confirm(mails()[0].secret)
    assert not Member.objects.exists()


def test_a_member_cannot_join_again(ants):
    actions.join(ants, "anne@example.org", pre_verified=True, pre_confirmed=True)
    with pytest.raises(Conflict):
        actions.join(ants, "Anne@Example.Org", pre_verified=True, pre_confirmed=True)


def test_the_banned_cannot_join(ants):
    ban("anne@example.org", ants)
    with pytest.raises(BadInput, match="banned"):
        actions.join(ants, "anne@example.org")


def test_who_is_banned_after_asking_stays_out(ants, mails):
    actions.join(ants, "anne@example.org")
    ban("anne@example.org", ants)
    with pytest.raises(BadInput):
        actions.confirm(mails()[0].secret)
    assert not Member.objects.exists()


def test_the_list_itself_cannot_join(ants):
    with pytest.raises(BadInput):
        actions.join(ants, ants.fqdn_listname)


def test_a_user_joins_with_the_preferred_address(ants):
    user = people.create_user("anne@example.org")
    with pytest.raises(BadInput, match="preferred"):
        actions.join(ants, user.uuid)
    people.verify(user.addresses.get())
    people.set_preferred_address(user, "anne@example.org")
    row = actions.join(ants, user.uuid, pre_confirmed=True).member
    assert row.subscription_mode == "as_user"
    assert queries.member_of(ants, "anne@example.org") == row


@pytest.mark.parametrize("role", ["owner", "moderator", "nonmember"])
def test_other_roles_are_given_without_a_question(ants, mails, role):
    row = actions.join(ants, "anne@example.org", role=role).member
    assert row.role == role
    assert not mails()


def test_a_member_is_no_nonmember_any_more(ants):
    actions.know_nonmembers(ants, ["anne@example.org"])
    actions.join(ants, "anne@example.org", pre_verified=True, pre_confirmed=True)
    assert list(Member.objects.values_list("role", flat=True)) == ["member"]


def test_a_moderator_may_refuse_with_a_reason(ants, mails):
    lists.change_settings(ants, {"subscription_policy": "moderate"})
    outcome = actions.join(ants, "anne@example.org", pre_verified=True)
    mails()
    actions.decide(Pending.objects.get(token=outcome.token), "reject", "The list is full.")
    (mail,) = mails()
    assert "The list is full." in mail.text
    assert mail.to == ("anne@example.org",)


def test_a_moderator_may_drop_a_request_in_silence(ants, mails):
    lists.change_settings(ants, {"subscription_policy": "moderate"})
    outcome = actions.join(ants, "anne@example.org", pre_verified=True)
    mails()
    actions.decide(Pending.objects.get(token=outcome.token), "discard")
    assert not mails()
    assert not Pending.objects.exists()
