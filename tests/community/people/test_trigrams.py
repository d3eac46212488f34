"""Parts of addresses and names are found by an index, which stays like the rows whoever writes them."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from query_plans import plan_of

from postroad.community.people import actions, queries, trigrams
from postroad.community.people.models import Address, User

pytestmark = pytest.mark.django_db


def found(*pieces):
    source, values = trigrams.addresses(pieces)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT a.email {source} ORDER BY 1", values)
        return [email for (email,) in cursor.fetchall()]


def called(words):
    return [user.display_name for user in queries.search(words)]


@pytest.fixture
def people():
    actions.create_user("anne.person@example.org", "Anne Person")
    actions.create_user("bart@percent.example", "100%_Bart!")
    actions.ensure_address("zoe@example.net", 'The "Z"')


@pytest.mark.parametrize(
    ("pieces", "emails"),
    [
        (("", "person", ""), ["anne.person@example.org"]),
        (("", "ERSO", ""), ["anne.person@example.org"]),
        (("", "ne pe", ""), ["anne.person@example.org"]),
        (("anne", "org"), ["anne.person@example.org"]),
        (("anne", ""), ["anne.person@example.org"]),
        (("", "anne"), []),
        (("", "per", "ample", ""), ["anne.person@example.org", "bart@percent.example"]),
        (("", "ample", "per", ""), []),
        (("", "%_B", ""), ["bart@percent.example"]),
        (("", "0%!", ""), []),
        (("", '"Z"', ""), ["zoe@example.net"]),
        (("", "ex", ""), ["anne.person@example.org", "bart@percent.example", "zoe@example.net"]),
        (("", "z", ""), ["zoe@example.net"]),
        (("", ""), ["anne.person@example.org", "bart@percent.example", "zoe@example.net"]),
        (("Anne Person",), ["anne.person@example.org"]),
        (("Anne",), []),
    ],
)
def test_pieces_are_found_in_their_order_in_any_case(people, pieces, emails):
    assert found(*pieces) == emails


def test_the_index_follows_changes_and_ends_with_the_row(people):
    address = queries.find_address("anne.person@example.org")
    actions.rename_address(address, "new.name@example.org")
    actions.set_address_name(address, "Another")
    assert (found("", "person", ""), found("", "new.name", "")) == ([], ["new.name@example.org"])
    assert found("", "nother", "") == ["new.name@example.org"]
    actions.change_user(queries.find_user("new.name@example.org"), display_name="Somebody Else")
    assert called("body el") == ["Somebody Else"]
    actions.delete_user(queries.find_user("new.name@example.org"))
    assert (found("", "new.name", ""), called("body el")) == ([], [])


def test_rows_written_many_at_once_are_in_the_index_too():
    Address.objects.bulk_create(
        [Address(email=f"bulk{n}@example.org", original_email=f"bulk{n}@example.org") for n in range(3)]
    )
    assert len(found("", "bulk", "")) == 3
    Address.objects.filter(email="bulk1@example.org").update(display_name="Renamed")
    assert found("", "enam", "") == ["bulk1@example.org"]


def test_a_user_is_found_by_name_and_by_each_address(people):
    actions.add_address(queries.find_user("anne.person@example.org"), "other@elsewhere.example")
    assert called("elsewhere") == called("anne per") == ["Anne Person"]
    assert called("ne") == ["Anne Person"]


@pytest.mark.parametrize("words", ["person", "elsewhere.example", "member"])
def test_no_row_is_read_that_the_index_does_not_name(words):
    """Nor all of them by a scan when all fit: PostgreSQL would take the trigrams of each again, for seconds."""
    names = [f"member{number}" for number in range(3000)]
    User.objects.bulk_create([User(display_name=name, password="!") for name in names])
    Address.objects.bulk_create([Address(email=f"{name}@x.example", original_email=name) for name in names])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE people_address")
        cursor.execute("ANALYZE people_user")
        for source, values in (trigrams.addresses(("", words, "")), trigrams.users(("", words, ""))):
            if connection.vendor == "postgresql":
                before = scans(cursor)
                cursor.execute(f"SELECT 1 {source}", values)
                assert scans(cursor) == before
            else:
                plan = plan_of(f"SELECT 1 {source}", values)
                assert "SCAN a" not in plan, plan
                assert "SCAN u" not in plan, plan


def scans(cursor):
    """How often this transaction read all of one of the tables."""
    cursor.execute(
        "SELECT SUM(seq_scan) FROM pg_stat_xact_user_tables WHERE relname IN ('people_address', 'people_user')"
    )
    return cursor.fetchone()


@given(st.text(min_size=1, max_size=12), st.integers(0, 12), st.integers(1, 12))
def test_any_part_of_any_name_is_found(name, start, length):
    name = " ".join(name.replace("\0", " ").split()) or "x"
    part = name[start : start + length] or name
    address = actions.ensure_address("some@example.org")
    try:
        actions.set_address_name(address, name.encode("utf-8", "ignore").decode())
        part = part.encode("utf-8", "ignore").decode()
        assert found("", part, "") == ["some@example.org"]
    finally:
        Address.objects.all().delete()
