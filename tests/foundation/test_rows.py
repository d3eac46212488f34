"""Rows that are written and read by SQL made once are the rows Django's ORM writes and reads."""

import pytest

from postroad.community.lists.actions import create_domain, create_list
from postroad.community.lists.models import MailingList
from postroad.community.people.models import Address, User
from postroad.community.subscriptions.models import Member
from postroad.foundation.rows import (
    add,
    among,
    by_key,
    first,
    insert,
    insert_many,
    insert_together,
    joined,
    row_of,
    select,
)

pytestmark = pytest.mark.django_db


def cells(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_what_is_inserted_is_what_was_given_with_every_default():
    user = insert(User(display_name="Anne", email="anne@example.org"))
    address = insert(Address(email="anne@example.org", original_email="Anne@example.org", user=user, hide_address=True))
    create_domain("example.com")
    member = insert(Member(mailing_list=create_list("ant@example.com"), address=address))
    for row in (user, address, member):
        assert cells(type(row).objects.get(pk=row.pk)) == cells(row)
    assert member.email == "anne@example.org", "a field that computes its value does so here too"


def test_an_inserted_row_can_be_changed_and_saved():
    address = insert(Address(email="anne@example.org", original_email="anne@example.org"))
    address.display_name = "Anne"
    address.save()
    assert list(Address.objects.values_list("pk", "display_name")) == [(address.pk, "Anne")]


def test_the_first_row_is_the_one_the_orm_finds():
    create_domain("example.com")
    made = [create_list(f"{name}@example.com") for name in ("ant", "bee")]
    MailingList.objects.update(settings={"description": "é", "info": [1, None]})
    found = first(MailingList, "list_id = %s", "bee.example.com")
    assert cells(found) == cells(MailingList.objects.get(pk=made[1].pk))
    assert first(MailingList, "mail_host = %s", "example.com") == made[0]
    assert first(MailingList, "list_id = %s", "cat.example.com") is None


def test_several_rows_are_those_the_orm_finds_in_the_order_asked_for():
    create_domain("example.com")
    ant, bee, cat = (create_list(f"{name}@example.com") for name in ("ant", "bee", "cat"))
    assert select(MailingList, "id > %s ORDER BY list_id DESC LIMIT 2", ant.pk) == [cat, bee]
    found = by_key(MailingList, [cat.pk, ant.pk, 0])
    assert {pk: cells(row) for pk, row in found.items()} == {row.pk: cells(row) for row in (ant, cat)}
    assert by_key(MailingList, []) == {}


def test_joined_rows_stand_side_by_side_and_an_outer_join_may_find_none():
    user = insert(User(display_name="Anne", email="anne@example.org"))
    mine = insert(Address(email="anne@example.org", original_email="anne@example.org", user=user))
    free = insert(Address(email="bea@example.org", original_email="bea@example.org"))
    rows = joined((Address, User), "LEFT JOIN people_user t1 ON t1.id = t0.user_id ORDER BY t0.email")
    assert rows == [(mine, user), (free, None)]
    assert [cells(row) for row in rows[0]] == [cells(Address.objects.get(pk=mine.pk)), cells(User.objects.get())]


def test_a_row_added_by_its_values_has_every_other_default_and_takes_no_unknown_name():
    key = add(User, display_name="Anne", email="anne@example.org")
    made, known = User.objects.get(pk=key), User(display_name="Anne", email="anne@example.org")
    differs = {name for name, value in cells(known).items() if cells(made)[name] != value}
    assert differs == {"id", "uuid", "created_on"}, "what is different for each row"
    with pytest.raises(TypeError, match="colour"):
        add(User, colour="blue")


def test_rows_are_found_among_any_number_of_keys():
    keys = [add(User, display_name=name) for name in "abc"]
    for wanted in ([], keys[:1], keys[1:]):
        where, value = among("id", wanted)
        assert [row.pk for row in User.objects.extra(where=[where], params=[value]).order_by("pk")] == wanted


def test_many_rows_are_written_in_order_and_what_is_there_already_is_left():
    into, behind = (
        "INSERT INTO people_address (email, original_email, display_name, registered_on)",
        "ON CONFLICT DO NOTHING",
    )
    rows = [(f"a{number:03}@example.org", "", f"No. {number}", "2026-11-26 12:00:00+00:00") for number in range(250)]
    insert_many(into, rows, behind)
    insert_many(into, [*rows, ("last@example.org", "", "Last", rows[0][3])], behind)
    insert_many(into, [])
    names = list(Address.objects.order_by("pk").values_list("display_name", flat=True))
    assert names == [*(row[2] for row in rows), "Last"]


def test_rows_of_several_tables_are_written_together_in_any_numbers():
    addresses = "INSERT INTO people_address (email, original_email, display_name, registered_on)"
    users = row_of(User, display_name="")[0]
    for mails, people in ((1, 1), (2, 2), (3, 1), (120, 120)):
        Address.objects.all().delete()
        User.objects.all().delete()
        insert_together(
            {
                addresses: [(f"a{n}@example.org", "", f"No. {n}", "2026-11-26 12:00:00+00:00") for n in range(mails)],
                users: [row_of(User, display_name=f"No. {n}")[1] for n in range(people)],
            }
        )
        assert [row.display_name for row in Address.objects.order_by("pk")] == [f"No. {n}" for n in range(mails)]
        assert [row.display_name for row in User.objects.order_by("pk")] == [f"No. {n}" for n in range(people)]
