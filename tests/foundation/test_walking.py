"""The order of a collection is remembered while nothing is written, and never a moment longer."""

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from postroad.community.people.models import Address
from postroad.foundation import walking

pytestmark = pytest.mark.django_db(transaction=True)
ALL = "SELECT id FROM people_address WHERE email > %s ORDER BY email"


def add(name):
    Address.objects.create(email=f"{name}@example.org", original_email=f"{name}@example.org")


def names():
    """What is read in the end; on PostgreSQL others may write in their databases between two questions."""
    while (found := page()) is None:
        continue
    return found


def page():
    keys = walking.walk(ALL, ["a"])
    if keys is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, email, {walking.state()} FROM people_address")
        rows = cursor.fetchall()
    if not walking.came_in({state for _, _, state in rows}):
        return None
    known = {key: email for key, email, _ in rows}
    return [known[key].partition("@")[0] for key in keys]


def elsewhere(work):
    def run():
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.fixture(autouse=True)
def two():
    walking._walks.begin(None)  # The thread is that of the test before.
    add("bee")
    add("ant")


@pytest.mark.sqlite_only
def test_a_page_that_came_in_another_state_ends_the_walk():
    assert names() == page() == ["ant", "bee"]
    elsewhere(lambda: add("cat"))
    assert page() is None
    assert names() == ["ant", "bee", "cat"]


@pytest.mark.sqlite_only
def test_who_asks_once_costs_no_walk_and_who_asks_on_costs_one():
    assert walking.walk(ALL, ["a"]) is None
    assert len(walking.walk(ALL, ["a"])) == 2
    with CaptureQueriesContext(connection) as queries:
        assert len(walking.walk(ALL, ["a"])) == 2
    assert not queries
    assert walking.walk(ALL, ["z"]) is None, "another question"


def test_what_this_thread_writes_is_seen():
    assert names() == ["ant", "bee"]
    add("cat")
    assert names() == ["ant", "bee", "cat"]
    Address.objects.filter(email="ant@example.org").update(email="zebra@example.org")
    assert names() == ["bee", "cat", "zebra"]
    Address.objects.all().delete()
    assert names() == []


def test_what_another_one_writes_is_seen():
    assert names() == ["ant", "bee"]
    elsewhere(lambda: add("cat"))
    assert names() == ["ant", "bee", "cat"]


def test_nothing_is_remembered_of_a_transaction_that_is_undone():
    assert names() == ["ant", "bee"]
    with transaction.atomic():
        add("cat")
        assert walking.walk(ALL, ["a"]) is walking.walk(ALL, ["a"]) is None
        transaction.set_rollback(True)
    assert names() == ["ant", "bee"]


def test_a_new_connection_knows_nothing_of_the_old_one():
    assert names() == ["ant", "bee"]
    connection.close()
    elsewhere(lambda: add("cat"))
    assert names() == ["ant", "bee", "cat"]


def test_more_than_a_thread_may_remember_is_read_anew(monkeypatch):
    monkeypatch.setattr(walking, "MOST_KEYS", 1)
    for _ in range(3):
        assert names() == ["ant", "bee"]
