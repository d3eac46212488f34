"""Who wrote a post: by the subscribed address, by another of the same user, the first sender first."""

import pytest
from query_plans import plans_of

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.people.models import Address
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.senders import sender_member, wants_acknowledgement

pytestmark = pytest.mark.django_db


def join(mailing_list, email, **options):
    return subscriptions.join(
        mailing_list,
        email,
        pre_verified=True,
        pre_confirmed=True,
        pre_approved=True,
        send_welcome_message=False,
        **options,
    ).member


def user_of(*emails):
    user = people.create_user(emails[0])
    for email in emails[1:]:
        people.add_address(user, email)
    return user


def test_a_member_is_known_by_address(ant):
    anne = join(ant, "anne@example.org")
    assert sender_member(ant, ["x@example.net", "anne@example.org"]) == (anne, "anne@example.org")
    assert sender_member(ant, ["x@example.net"]) is None
    assert sender_member(ant, []) is None


def test_a_member_is_known_by_every_address_of_the_user(ant):
    user_of("bea@example.org", "bea@work.example")
    bea = join(ant, "bea@example.org")
    assert sender_member(ant, ["bea@work.example"]) == (bea, "bea@work.example")


def test_a_subscribed_user_is_known_by_every_address(ant):
    user = user_of("cem@example.org", "cem@work.example")
    people.verify(Address.objects.get(email="cem@example.org"))
    people.set_preferred_address(user, "cem@example.org")
    cem = Member.objects.create(mailing_list=ant, user=user, role="member")
    assert sender_member(ant, ["cem@work.example"]) == (cem, "cem@work.example")


def test_the_first_sender_who_is_a_member_counts(ant):
    anne, bea = join(ant, "anne@example.org"), join(ant, "bea@example.org")
    assert sender_member(ant, ["bea@example.org", "anne@example.org"])[0] == bea
    assert sender_member(ant, ["x@example.org", "anne@example.org", "bea@example.org"])[0] == anne


def test_other_roles_and_lists_do_not_count(ant):
    other = lists.create_list("bee@example.com")
    join(other, "anne@example.org")
    join(ant, "anne@example.org", role="owner")
    assert sender_member(ant, ["anne@example.org"]) is None


def test_the_wish_for_an_acknowledgement_cascades(ant):
    """Membership, address, user; the nearest that says anything counts, and nobody is told unasked."""
    user = user_of("anne@example.org")
    anne = join(ant, "anne@example.org")
    address = Address.objects.get(email="anne@example.org")
    assert not wants_acknowledgement(ant, "anne@example.org")
    for holder, value in ((user, True), (address, False), (anne, True)):
        people.set_preferences(holder, {"acknowledge_posts": value})
        assert wants_acknowledgement(ant, "anne@example.org") is value
    assert not wants_acknowledgement(ant, "stranger@example.org")


def test_a_subscribed_user_wishes_by_the_preferred_address(ant):
    user = user_of("cem@example.org")
    address = Address.objects.get(email="cem@example.org")
    people.verify(address)
    people.set_preferred_address(user, "cem@example.org")
    Member.objects.create(mailing_list=ant, user=user, role="member")
    people.set_preferences(address, {"acknowledge_posts": True})
    assert wants_acknowledgement(ant, "cem@example.org")


@pytest.mark.sqlite_only
def test_no_list_is_walked_over_for_who_wrote_a_post(ant):
    """Without statistics SQLite would read all members of a long list, twice for each post."""
    plans = plans_of(lambda: sender_member(ant, ["anne@example.org"]))
    plans += plans_of(lambda: wants_acknowledgement(ant, "anne@example.org"))
    assert len(plans) == 2
    for plan in plans:
        of_members = [step for step in plan.splitlines() if " m " in step]
        assert of_members
        assert all("address_id=?" in step or "user_id=?" in step for step in of_members), plan
