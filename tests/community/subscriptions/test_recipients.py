"""Who gets a post: one query over members and the cascade of preferences, by indexes, in pages of constant size."""

import time

import pytest
from django.db import connection
from query_plans import plans_of

from postroad.community.people import actions as people
from postroad.community.people.models import Address, User
from postroad.community.subscriptions import actions, queries
from postroad.community.subscriptions.models import Member
from postroad.foundation.queue.envelope import DigestReaders

pytestmark = pytest.mark.django_db


def member(ants, email, **preferences):
    row = actions.join(ants, email, pre_verified=True, pre_confirmed=True, send_welcome_message=False).member
    people.set_preferences(row, preferences)
    return row


def got(ants, **asked):
    return [r.email for r in queries.recipients(ants.pk, 0, 1000, **asked)]


def test_members_get_posts_and_nobody_else(ants):
    member(ants, "anne@example.org")
    for role in ("owner", "moderator", "nonmember"):
        actions.join(ants, f"{role}@example.org", role=role)
    assert got(ants) == ["anne@example.org"]


@pytest.mark.parametrize("status", ["by_user", "by_bounces", "by_moderator", "unknown"])
def test_who_is_switched_off_gets_nothing(ants, status):
    member(ants, "anne@example.org", delivery_status=status)
    assert got(ants) == []


def test_readers_of_digests_get_digests(ants):
    member(ants, "anne@example.org")
    member(ants, "mime@example.org", delivery_mode="mime_digests")
    member(ants, "plain@example.org", delivery_mode="plaintext_digests")
    assert got(ants) == ["anne@example.org"]
    assert got(ants, digest=DigestReaders(("mime_digests",))) == ["mime@example.org"]
    both = DigestReaders(("mime_digests", "plaintext_digests"))
    assert got(ants, digest=both) == ["mime@example.org", "plain@example.org"]


def test_a_digest_of_its_own_frequency_goes_to_who_chose_it(ants):
    member(ants, "list@example.org", delivery_mode="mime_digests")
    weekly = member(ants, "weekly@example.org", delivery_mode="mime_digests")
    actions.set_options(weekly, {"digest_frequency": "weekly"}, proved=True)
    assert got(ants, digest=DigestReaders(("mime_digests",), since=time.time())) == ["list@example.org"]
    assert got(ants, digest=DigestReaders(("mime_digests",), "weekly")) == ["weekly@example.org"]
    assert queries.own_frequencies(ants) == {"weekly"}


@pytest.mark.parametrize("level", ["member", "address", "user"])
def test_who_leaves_a_digest_half_way_gets_that_one_still(ants, level):
    """On whichever level the mode was set; an issue that began later goes without them."""
    user = people.create_user("anne@example.org")
    row = member(ants, "anne@example.org")
    holder = {"member": row, "address": row.address, "user": user}[level]
    people.set_preferences(holder, {"delivery_mode": "mime_digests"})
    began = time.time()
    people.set_preferences(holder, {"delivery_mode": "regular"})
    people.set_preferences(holder, {"delivery_mode": "regular"})
    assert got(ants) == ["anne@example.org"]
    readers = DigestReaders(("mime_digests", "summary_digests"), since=began)
    assert got(ants, digest=readers) == ["anne@example.org"]
    assert queries.has_readers(ants, readers)
    assert got(ants, digest=DigestReaders(("plaintext_digests",), since=began)) == []
    later = DigestReaders(("mime_digests",), since=time.time())
    assert got(ants, digest=later) == []
    assert not queries.has_readers(ants, later)


def test_a_mode_nearer_than_the_one_that_was_left_counts(ants):
    user = people.create_user("anne@example.org")
    member(ants, "anne@example.org", delivery_mode="regular")
    people.set_preferences(user, {"delivery_mode": "mime_digests"})
    people.set_preferences(user, {"delivery_mode": "regular"})
    assert got(ants, digest=DigestReaders(("mime_digests",))) == []


def test_who_changes_between_kinds_of_digest_gets_one(ants):
    row = member(ants, "anne@example.org", delivery_mode="mime_digests")
    people.set_preferences(row, {"delivery_mode": "plaintext_digests"})
    assert got(ants, digest=DigestReaders(("mime_digests",))) == []
    assert got(ants, digest=DigestReaders(("plaintext_digests",))) == ["anne@example.org"]


def test_who_changes_the_frequency_half_way_gets_the_last_of_the_old_ones(ants):
    row = member(ants, "anne@example.org", delivery_mode="mime_digests")
    actions.change_member(row, digest_frequency="weekly")
    for frequency in ("", "weekly"):
        assert got(ants, digest=DigestReaders(("mime_digests",), frequency)) == ["anne@example.org"]
    assert got(ants, digest=DigestReaders(("mime_digests",), since=time.time())) == []


def test_who_switched_delivery_off_gets_no_last_digest(ants):
    row = member(ants, "anne@example.org", delivery_mode="mime_digests")
    people.set_preferences(row, {"delivery_mode": "regular", "delivery_status": "by_user"})
    assert got(ants, digest=DigestReaders(("mime_digests",))) == []


@pytest.mark.parametrize(
    ("member_says", "address_says", "user_says", "expected"),
    [
        (None, None, None, True),
        (None, None, "by_user", False),
        (None, "enabled", "by_user", True),
        ("by_user", "enabled", "enabled", False),
        ("enabled", "by_user", "by_user", True),
        (None, "by_user", "enabled", False),
    ],
)
def test_the_nearest_preference_counts(ants, member_says, address_says, user_says, expected):
    user = people.create_user("anne@example.org")
    row = member(ants, "anne@example.org", delivery_status=member_says)
    people.set_preferences(row.address, {"delivery_status": address_says})
    people.set_preferences(user, {"delivery_status": user_says})
    assert bool(got(ants)) is expected
    row.refresh_from_db()
    assert (queries.effective_preferences(row)["delivery_status"] == "enabled") is expected
    rows = queries.selected(queries.Selection(mailing_list=ants.pk, delivery_status="enabled"))
    assert rows.exists() is expected


def test_the_author_may_do_without_the_own_post(ants):
    member(ants, "anne@example.org", receive_own_postings=False)
    assert got(ants, author="Anne@example.org") == []
    assert got(ants, author="bart@example.org") == ["anne@example.org"]


def test_who_is_addressed_already_may_do_without_a_second_copy(ants):
    member(ants, "anne@example.org", receive_list_copy=False)
    member(ants, "bart@example.org")
    rows = queries.recipients(ants.pk, 0, 10, explicit=("anne@example.org", "bart@example.org"))
    assert [(r.email, r.copied) for r in rows] == [("bart@example.org", True)]


@pytest.mark.parametrize("first", ["user", "address"])
def test_who_is_on_a_list_as_user_and_by_address_gets_posts_once(ants, first):
    user = people.create_user("anne@example.org")
    people.verify(user.addresses.get())
    people.set_preferred_address(user, "anne@example.org")
    if first == "user":
        actions.join(ants, user.uuid, pre_confirmed=True)
    by_address = member(ants, "anne@example.org")
    if first == "address":
        actions.join(ants, user.uuid, pre_confirmed=True)
    assert got(ants) == ["anne@example.org"]
    people.set_preferences(by_address, {"delivery_status": "by_user"})
    assert got(ants) == ["anne@example.org"], "the other membership still wants them"
    people.set_preferences(by_address, {"delivery_status": None, "delivery_mode": "mime_digests"})
    assert got(ants) == got(ants, digest=DigestReaders(("mime_digests",))) == ["anne@example.org"]


def test_a_muted_thread_does_not_come_and_a_followed_one_does(ants):
    anne, bart = member(ants, "anne@example.org"), member(ants, "bart@example.org", delivery_status="by_user")
    digest = member(ants, "digest@example.org", delivery_mode="mime_digests")
    actions.choose_thread(anne, "T1", "mute")
    actions.choose_thread(bart, "T1", "follow")
    actions.choose_thread(digest, "T1", "follow")
    assert got(ants, thread="T1") == ["bart@example.org", "digest@example.org"]
    assert got(ants, thread="T2") == ["anne@example.org"]
    actions.choose_thread(anne, "T1", None)
    assert "anne@example.org" in got(ants, thread="T1")


def test_following_does_not_reach_who_bounces(ants):
    anne = member(ants, "anne@example.org", delivery_status="by_bounces")
    actions.choose_thread(anne, "T1", "follow")
    assert got(ants, thread="T1") == []


def fill(ants, count):
    """So many members, users behind every third, written in bulk."""
    users = User.objects.bulk_create([User(display_name=f"User {n}") for n in range(count // 3)])
    addresses = Address.objects.bulk_create(
        [
            Address(email=f"u{n}@example.org", original_email=f"u{n}@example.org", user=users[n // 3] if n % 3 == 0 and n // 3 < len(users) else None)
            for n in range(count)
        ]
    )  # fmt: skip
    Member.objects.bulk_create([Member(mailing_list=ants, role="member", address=a) for a in addresses])


def test_all_come_once_in_pages(ants):
    fill(ants, 1000)
    after, seen = 0, []
    while page := queries.recipients(ants.pk, after, 150):
        assert len(page) <= 150
        seen += [r.email for r in page]
        after = page[-1].member_id
    assert len(seen) == len(set(seen)) == 1000


def plan(function):
    """How the database goes about the last query a function makes."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return plans_of(function)[-1]


def test_a_page_is_found_by_indexes(ants):
    """No table is read from end to end and the list is not sorted: its last page costs what the first does."""
    fill(ants, 6000)
    first = Member.objects.order_by("pk").values_list("pk", flat=True)[100]
    for thread in ("", "T1"):
        exclusions = ("b@example.org",)
        shown = plan(lambda: queries.recipients(ants.pk, first, 50, "a@example.org", exclusions, thread=thread))  # noqa: B023
        assert "subscriptions_member" in shown
        if connection.vendor == "postgresql":
            assert "Seq Scan on subscriptions_member" not in shown
            assert "Sort" not in shown  # Which way to the addresses of one page is best, it knows better.
        else:
            tables = ("subscriptions_member", "people_address", "people_user", " a ", " s ", " u ", " o ")
            scans = [line for line in shown.splitlines() if line.startswith("SCAN")]
            assert not [line for line in scans if any(table in line for table in tables)]
            assert "TEMP B-TREE" not in shown


def test_pages_of_members_who_want_nothing_are_passed_over(ants):
    fill(ants, 90)
    Member.objects.update(delivery_status="by_user")
    last = Member.objects.order_by("pk").last()
    last.delivery_status = None
    last.save()
    assert [r.member_id for r in queries.recipients(ants.pk, 0, 10)] == [last.pk]
