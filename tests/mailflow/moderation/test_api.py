"""REST of held messages and header matches, as Mailman's clients expect it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroad.community.lists import actions as lists
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.worker import work

from .conftest import mail, post

pytestmark = pytest.mark.django_db

HELD = "lists/ant.example.com/held"
MATCHES = "lists/ant.example.com/header-matches"


@pytest.fixture
def held(ant):
    """Three posts of strangers wait."""
    lists.change_settings(ant, {"admin_immed_notify": False})
    for number in range(3):
        raw = mail(subject=f"=?utf-8?q?Gr=C3=BC=C3=9Fe?= {number}", message_id=f"<{number}@example.org>")
        work(post(ant, raw, message=storage.store(raw), message_id=f"{number}@example.org").envelope)


def test_held_posts_are_shown_with_what_was_known(rest, held):
    status, page = rest("GET", HELD)
    assert (status, page["start"], page["total_size"]) == (200, 0, 3)
    entry = page["entries"][0]
    assert entry["request_id"] == 1
    assert entry["self_link"].endswith(f"/3.1/{HELD}/1")
    assert entry["message_id"] == "<0@example.org>"
    assert entry["sender"] == "anne@example.org"
    assert entry["subject"] == "Grüße 0"
    assert entry["original_subject"] == "=?utf-8?q?Gr=C3=BC=C3=9Fe?= 0"
    assert entry["reason"] == "The message is not from a list member"
    assert entry["rule_hits"] == ["nonmember-moderation"]
    assert entry["member_moderation_action"] == "hold"
    assert entry["msg"].startswith("From: Anne")
    assert "T" in entry["hold_date"]
    assert rest("GET", f"{HELD}/1") == (200, entry)


def test_held_posts_are_counted_and_paged(rest, held):
    assert rest("GET", f"{HELD}/count")[1]["count"] == 3
    page = rest("GET", f"{HELD}?count=2&page=2")[1]
    assert (page["start"], page["total_size"], [e["request_id"] for e in page["entries"]]) == (2, 3, [3])


def test_a_page_takes_the_same_number_of_queries_for_any_number_of_posts(rest, held):
    with CaptureQueriesContext(
        connection,
    ) as one:
        rest("GET", f"{HELD}?count=1&page=1")
    with CaptureQueriesContext(connection) as three:
        rest("GET", f"{HELD}?count=3&page=1")
    assert len(one) == len(three) <= 5


@pytest.mark.parametrize("number", ["4", "x", "-1", "1.5", "٣", "9" * 30])
def test_a_post_that_does_not_wait_is_not_found(rest, held, number):
    assert rest("GET", f"{HELD}/{number}")[0] == 404
    assert rest("POST", f"{HELD}/{number}", {"action": "accept"})[0] == 404


@pytest.mark.parametrize(
    ("action", "left", "queued"),
    [("accept", 2, ["pipeline"]), ("reject", 2, ["pipeline"]), ("discard", 2, []), ("defer", 3, []), ("hold", 3, [])],
)
def test_a_moderator_decides(rest, held, action, left, queued):
    assert rest("POST", f"{HELD}/2", {"action": action, "comment": "No ads."}) == (204, None)
    assert rest("GET", f"{HELD}/count")[1]["count"] == left
    assert [job.queue for job in Job.objects.all()] == queued
    kinds = [decode(job.envelope).kind for job in Job.objects.all()]
    assert kinds == {"accept": ["posting"], "reject": ["notice"]}.get(action, [])


def test_a_post_is_forwarded(rest, held):
    assert rest("POST", f"{HELD}/1", {"action": "hold", "forward": ["zoe@example.net", "yan@example.net"]})[0] == 204
    assert decode(Job.objects.get().envelope).recipients == ("zoe@example.net", "yan@example.net")


@pytest.mark.parametrize(
    "body", [{}, {"action": "burn"}, {"action": "accept", "x": "1"}, {"action": "hold", "forward": "x"}]
)
def test_another_word_is_refused(rest, held, body):
    assert rest("POST", f"{HELD}/1", body)[0] == 400
    assert rest("GET", f"{HELD}/count")[1]["count"] == 3


def test_header_matches_are_added_in_order(rest, ant):
    status, location = rest(
        "POST", MATCHES, {"header": "X-Spam", "pattern": "^yes", "action": "discard", "tag": "Mine"}
    )
    assert (status, location.partition("/3.1/")[2]) == (201, f"{MATCHES}/0")
    assert rest("POST", MATCHES, {"header": "Subject", "pattern": "win"})[1].endswith("/1")
    entries = rest("GET", MATCHES)[1]["entries"]
    for entry in entries:
        entry.pop("http_etag")
    assert entries == [
        {
            "position": 0,
            "header": "x-spam",
            "pattern": "^yes",
            "action": "discard",
            "tag": "Mine",
            "self_link": location,
        },
        {"position": 1, "header": "subject", "pattern": "win", "self_link": location[:-1] + "1"},
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"header": "x-spam", "pattern": "^yes"}, {"header": "X"}, {"header": "X", "pattern": "("},
        {"header": "X", "pattern": "(a+)+$"}, {"header": "X", "pattern": "a", "action": "burn"},
        {"header": "X: y", "pattern": "a"},
    ],
)  # fmt: skip
def test_a_wrong_or_double_header_match_is_refused(rest, ant, body):
    rest("POST", MATCHES, {"header": "X-Spam", "pattern": "^yes"})
    assert rest("POST", MATCHES, body)[0] == 400
    assert rest("GET", MATCHES)[1]["total_size"] == 1


@pytest.fixture
def three(rest, ant):
    for header in "abc":
        rest("POST", MATCHES, {"header": header, "pattern": ".", "action": "hold", "tag": "t"})


def order(rest):
    return "".join(entry["header"] for entry in rest("GET", MATCHES)[1].get("entries", ()))


def test_a_header_match_is_changed_and_moved(rest, three):
    assert rest("PATCH", f"{MATCHES}/0", {"position": 2, "action": "", "tag": "NEW"}) == (204, None)
    assert order(rest) == "bca"
    entry = rest("GET", f"{MATCHES}/2")[1]
    assert (entry["header"], entry.get("action"), entry["tag"]) == ("a", None, "new")
    assert rest("PATCH", f"{MATCHES}/0", {"position": 3})[0] == 400
    assert rest("PUT", f"{MATCHES}/0", {"header": "z"})[0] == 400
    assert rest("PUT", f"{MATCHES}/0", {"header": "Z", "pattern": "x"})[0] == 204
    assert order(rest) == "zca"
    assert rest("GET", f"{MATCHES}/0")[1]["action"] == "hold"


def test_a_removed_header_match_leaves_no_gap(rest, three):
    assert rest("DELETE", f"{MATCHES}/1")[0] == 204
    assert order(rest) == "ac"
    assert rest("GET", f"{MATCHES}/1")[1]["header"] == "c"
    assert rest("DELETE", f"{MATCHES}/2")[0] == 404
    assert rest("DELETE", MATCHES)[0] == 204
    assert order(rest) == ""


def test_header_matches_are_found(rest, three):
    assert rest("GET", f"{MATCHES}/find?tag=t")[1]["total_size"] == 3
    assert rest("POST", f"{MATCHES}/find", {"header": "B", "action": "hold"})[1]["entries"][0]["position"] == 1
    assert rest("GET", f"{MATCHES}/find?tag=other")[0] == 404
    assert rest("GET", f"{MATCHES}/find?tag=t&count=1&page=1")[0] == 400
