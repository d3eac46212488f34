"""Rosters: in the order of addresses as they stand now, found by parts of addresses and names, counted right."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from query_plans import plans_of

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.people.queries import find_address
from postroad.community.subscriptions import actions, moving_in
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.queries import Selection, member_of
from postroad.community.subscriptions.rosters import only, roster

pytestmark = pytest.mark.django_db
YES = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}


def emails(ants, **more):
    return [row.email for row in roster(Selection(mailing_list=ants.pk, roles=("member",), **more))[0]]


@pytest.fixture
def members(ants):
    for name in ("cara", "anne", "Bill"):
        actions.join(ants, f"{name}@example.org", display_name=name.title(), **YES)
    return ants


def test_a_page_is_in_the_order_of_addresses_and_tells_how_many_there_are(members):
    rows, total = roster(Selection(mailing_list=members.pk, roles=("member",)), 1, 1)
    assert ([row.email for row in rows], total) == (["bill@example.org"], 3)
    assert roster(Selection(mailing_list=members.pk, roles=("member",)), 7, 5) == ([], 3)
    assert roster(Selection(mailing_list=members.pk, roles=("owner",))) == ([], 0)


def test_the_order_follows_an_address_that_is_renamed(members):
    people.rename_address(find_address("anne@example.org"), "zoe@example.org")
    assert emails(members) == ["bill@example.org", "cara@example.org", "zoe@example.org"]
    assert member_of(members, "zoe@example.org") is not None
    assert member_of(members, "anne@example.org") is None


def test_a_subscribed_user_stands_under_the_preferred_address_of_the_moment(members):
    user = find_address("anne@example.org").user
    people.verify(people.add_address(user, "nell@example.org"))
    Member.objects.filter(address__user=user).delete()
    people.set_preferred_address(user, "anne@example.org")
    actions.join(members, user.uuid, **YES)
    assert emails(members) == ["anne@example.org", "bill@example.org", "cara@example.org"]
    people.set_preferred_address(user, "nell@example.org")
    assert emails(members) == ["bill@example.org", "cara@example.org", "nell@example.org"]
    row = member_of(members, "nell@example.org")
    assert row is not None
    assert row.user_id == user.pk
    people.clear_preferred_address(user)
    assert Member.objects.get(user=user).email is None
    assert sorted(emails(members)) == ["", "bill@example.org", "cara@example.org"]


def test_memberships_of_a_merged_user_go_by_the_one_who_is_left(members):
    anne, bill = (find_address(f"{name}@example.org").user for name in ("anne", "bill"))
    people.set_preferred_address(bill, "bill@example.org")
    people.set_preferred_address(anne, "anne@example.org")
    Member.objects.all().delete()
    actions.join(members, bill.uuid, **YES)
    people.absorb(anne, bill)
    assert emails(members) == ["anne@example.org"]
    assert Member.objects.get().email == "anne@example.org"


def test_importers_need_not_look_every_address_up(members):
    """Many memberships at once cost the same queries as a few, and stand in order."""
    keys = [people.ensure_address(f"{letter}@import.example").pk for letter in "dcba"]
    template = Member.objects.values_list("uuid", flat=True)
    rows = [
        moving_in.Membership(uuid=type(template[0])(int=n + 1), mailing_list=members.pk, role="nonmember", address=key)
        for n, key in enumerate(keys)
    ]
    with CaptureQueriesContext(connection) as few:
        moving_in.bring_members(rows[:1])
    with CaptureQueriesContext(connection) as many:
        moving_in.bring_members(rows)
    assert len(many) == len(few)
    found, _ = roster(Selection(mailing_list=members.pk, roles=("nonmember",)))
    assert [row.email[0] for row in found] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("anne@example.org", "a"), ("ANNE@example.org", "a"), ("anne", "a"), ("AnNe", "a"), ("*@example.org", "abc"),
        ("b*", "b"), ("*ARA*", "c"), ("*a*", "abc"), ("nne*", ""), ("a%", ""), ("_ill", ""), ("*!*", ""),
        ("a*@*.org", "a"), ("nobody@example.org", ""),
    ],
)  # fmt: skip
def test_members_are_found_by_parts_of_address_or_name(members, pattern, found):
    assert [email[0] for email in emails(members, subscriber=pattern)] == list(found)


@pytest.mark.parametrize(
    "chosen",
    [{"subscriber": "Anne@example.org"}, {"roles": ("member",), "email": "anne@example.org"}],
    ids=["whatever its role", "in one role"],
)
def test_an_exact_address_on_a_list_is_looked_up_by_index(members, chosen):
    """Else all of a list is read for one of its members, where the database has no statistics yet."""
    selection = Selection(list_id=members.list_id, **chosen)
    assert only(selection) == roster(selection)[0][0]
    assert only(selection).email == "anne@example.org"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # Three rows are read as a whole.
    for plan in (*plans_of(lambda: only(selection)), *plans_of(lambda: roster(selection))):
        assert "(email)::text = " in plan or "email=?" in plan, plan


def test_what_is_not_cut_into_pages_is_read_in_one_question(members):
    chosen = Selection(mailing_list=members.pk, roles=("member",), email="anne@example.org")
    with CaptureQueriesContext(connection) as queries:
        assert only(chosen) == roster(chosen)[0][0]
    assert len(queries) == 2
    assert only(Selection(mailing_list=members.pk, roles=("owner",))) is None


def test_a_newcomer_costs_a_fixed_few_statements(ants):
    """As many for the tenth as for the second, and each of them needed."""
    actions.join(ants, "first@example.org", **YES)
    with CaptureQueriesContext(connection) as queries:
        actions.join(ants, "second@example.org", display_name="Second", **YES)
    assert len(queries) <= 11, [query["sql"][:80] for query in queries]
    address = find_address("second@example.org")
    assert address.verified_on is not None
    assert (address.user.display_name, address.user.email) == ("Second", "second@example.org")
    assert address.user.emailaddress_set.get().verified


@pytest.mark.parametrize("roles", [("owner", "moderator", "member"), (), ("member",)])
def test_pages_through_all_lists_are_the_whole_cut_into_pieces(members, roles):
    """Whichever rosters a page begins and ends in, those between them stand in it whole."""
    for name in ("zebra", "bee", "cow"):
        other = lists.create_list(f"{name}@join.example")
        for role, person in (("owner", "anne"), ("nonmember", "cara"), ("member", "cara"), ("member", "anne")):
            actions.join(other, f"{person}@example.org", role=role, **YES)
    selection = Selection(roles=roles)
    whole, total = roster(selection)
    assert total == len(whole) > 8
    for start in range(total + 2):
        for count in range(total + 2):
            assert roster(selection, start, count) == (whole[start : start + count], total), (start, count)
