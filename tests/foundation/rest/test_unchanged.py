"""An answer is given again while nothing is written, and never a moment longer."""

import threading

import pytest
from django.db import connection, transaction
from django.test import RequestFactory

from postroad.community.people.models import Address
from postroad.foundation.rest import resource, unchanged

pytestmark = pytest.mark.django_db(transaction=True)


class Addresses:
    """Shows all addresses, and counts how often it is asked."""

    def __init__(self):
        self.asked = 0
        self.view = unchanged.while_unchanged(self.show)

    def show(self, request):
        self.asked += 1
        emails = list(Address.objects.order_by("email").values_list("email", flat=True))
        return resource.ok({"path": request.get_full_path(), "emails": emails})

    def __call__(self, path="/3.1/addresses"):
        return self.view(RequestFactory().get(path))


@pytest.fixture
def shown():
    unchanged._answers.forget()  # The thread is that of the test before.
    add("ant")
    return Addresses()


def add(name):
    Address.objects.create(email=f"{name}@example.org", original_email=f"{name}@example.org")


def add_elsewhere(name):
    def run():
        add(name)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.sqlite_only  # On PostgreSQL others may write in their databases between two questions.
def test_who_asks_on_gets_the_same_answer_and_nothing_is_read(shown):
    first, _, third = shown(), shown(), shown()
    assert shown.asked == 2
    assert (third.content, dict(third.headers)) == (first.content, dict(first.headers))
    assert b"?page=2" in shown("/3.1/addresses?page=2").content, "another question"
    assert b"/3.0/" in shown("/3.0/addresses").content, "another version"


@pytest.mark.parametrize("add_one", [add, add_elsewhere])
def test_what_is_written_is_seen_at_once(shown, add_one):
    for _ in range(3):
        assert b"bee" not in shown().content
    add_one("bee")
    for _ in range(3):
        assert b"bee" in shown().content


def test_a_new_connection_knows_nothing_of_the_old_one(shown):
    for _ in range(3):
        shown()
    connection.close()
    add_elsewhere("bee")
    assert b"bee" in shown().content


def test_a_transaction_sees_what_it_wrote_and_nobody_gets_that_answer(shown):
    with transaction.atomic():
        add("bee")
        for _ in range(3):
            assert b"bee" in shown().content
        transaction.set_rollback(True)
    for _ in range(3):
        assert b"bee" not in shown().content


def test_what_was_written_while_an_answer_was_made_is_seen(shown):
    """The answer is as old as its reading: it is not kept when something came between."""
    shown()

    def slow(request):
        response = shown.show(request)
        add_elsewhere("bee")
        return response

    shown.view = unchanged.while_unchanged(slow)
    assert b"bee" not in shown().content
    shown.view = unchanged.while_unchanged(shown.show)
    assert b"bee" in shown().content


def test_more_than_a_thread_may_keep_is_forgotten(shown, monkeypatch):
    monkeypatch.setattr(unchanged, "MOST_OCTETS", 3 * unchanged._OF_A_QUESTION)
    for page in range(20):
        assert b"ant" in shown(f"/3.1/addresses?page={page}").content
        assert b"ant" in shown(f"/3.1/addresses?page={page}").content
    assert len(unchanged._answers.kept) <= 3
    assert unchanged._answers.octets <= unchanged.MOST_OCTETS
