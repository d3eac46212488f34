"""Statements that are sent without waiting for each are one transaction as ever."""

import pytest
from django.db import IntegrityError, connection, transaction

from postroad.community.people.models import Address
from postroad.foundation.pipelining import pipelined
from postroad.foundation.rows import insert_many

pytestmark = pytest.mark.django_db(transaction=True)
INTO = "INSERT INTO people_address (email, original_email, display_name, registered_on)"


def add(*names, then=lambda: None):
    """Write addresses by a statement for each, and do something else in the same transaction."""
    with pipelined(), transaction.atomic():
        for name in names:
            insert_many(INTO, [(f"{name}@example.org", "", name, "2026-11-26 12:00:00+00:00")])
        then()


def names():
    return sorted(Address.objects.values_list("display_name", flat=True))


def fail():
    raise ZeroDivisionError


def refer_to_nobody():
    """The reference is looked at when the transaction is committed."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_address SET user_id = 4711")


def test_what_was_sent_is_seen_inside_and_kept():
    seen = []
    add("bee", "ant", then=lambda: seen.extend(names()))
    assert seen == names() == ["ant", "bee"]


@pytest.mark.parametrize(
    ("wanted", "then", "error"),
    [
        (["bee", "ant", "cat"], lambda: None, IntegrityError),  # Told at the commit.
        (["bee", "ant"], names, IntegrityError),  # Told where something is read.
        (["bee"], refer_to_nobody, IntegrityError),
        (["bee"], fail, ZeroDivisionError),
    ],
)
def test_what_fails_undoes_all_and_leaves_the_connection_usable(wanted, then, error):
    add("ant")
    with pytest.raises(error):
        add(*wanted, then=then)
    assert names() == ["ant"]
    add("dog")
    assert names() == ["ant", "dog"]
