"""What moderators and owners do on the web, who may, and what a hostile post can do to them there: nothing."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroad.community.notices.models import OwnText
from postroad.community.notices.templates import ALL_NAMES
from postroad.community.subscriptions.models import Pending
from postroad.community.subscriptions.queries import member_of
from postroad.foundation.queue.models import Job, Step
from postroad.mailflow.moderation.models import HeldMessage

from .conftest import ROLES

pytestmark = pytest.mark.django_db

BASE = "/lists/ant.example.com/"
WELCOME = "list:user:notice:welcome"
RIGHTS = {
    "held/": {"moderator", "owner", "superuser"},
    "held/1/": {"moderator", "owner", "superuser"},
    "held/1/raw": {"moderator", "owner", "superuser"},
    "requests/": {"moderator", "owner", "superuser"},
    "texts/": {"owner", "superuser"},
    f"texts/{WELCOME}/": {"owner", "superuser"},
}
WISHES = {
    "held/": {"post": "1", "decision": "accept"},
    "held/1/": {"decision": "discard"},
    "requests/": {"decision": "accept"},
    f"texts/{WELCOME}/": {"body": "mine", "do": "keep"},
}


def everything():
    return [
        list(HeldMessage.objects.values_list("pk")), list(Pending.objects.values_list("pk")),
        list(OwnText.objects.values_list("text")), Job.objects.count(),
    ]  # fmt: skip


# --- rights


@pytest.mark.parametrize("role", ROLES)
def test_the_pages_show_themselves_to_those_who_may_moderate(hold, ask, visitor, role):
    hold()
    client = visitor(role)
    for path, allowed in RIGHTS.items():
        answer = client.get(BASE + path)
        expected = 200 if role in allowed else 302 if role == "anonymous" else 404
        assert answer.status_code == expected, (role, path)
        assert b"eve1@example.net" not in answer.content or role in allowed


@pytest.mark.parametrize("role", ROLES)
def test_only_they_decide(hold, ask, visitor, role):
    hold()
    token = ask("joe@example.net").token
    client = visitor(role)
    for path, wish in WISHES.items():
        before = everything()
        client.post(BASE + path, {**wish, "token": token})
        assert (everything() != before) == (role in RIGHTS[path] and path != "held/1/"), (role, path)


def test_a_get_changes_nothing(hold, visitor):
    hold()
    client = visitor("owner")
    before = everything()
    for path in RIGHTS:
        client.get(f"{BASE}{path}?decision=accept&post=1&do=keep")
    assert everything() == before


def test_a_list_that_is_not_there_and_one_of_others_look_the_same(hold, visitor):
    client = visitor("stranger")
    shown = [client.get(f"{path}held/").content.decode() for path in (BASE, "/lists/none.example.com/")]
    assert len({re.sub(r'value="\w+"', "", page) for page in shown}) == 1, "but for the form's token"


def test_what_is_held_is_kept_by_no_cache(hold, visitor):
    hold()
    assert "no-store" in visitor("moderator").get(f"{BASE}held/1/")["Cache-Control"]


# --- held posts


def test_a_moderator_accepts_a_post_and_the_next_ones_of_its_author(ant, hold, visitor):
    post = hold()
    client = visitor("moderator")
    answer = client.post(f"{BASE}held/{post.request_id}/", {"decision": "accept", "from_now_on": "accept"}, follow=True)
    assert "accepted" in answer.content.decode()
    assert not HeldMessage.objects.exists()
    assert member_of(ant, "eve1@example.net", "nonmember").moderation_action == "accept"
    assert Step.objects.get(outcome="accepted", stage="moderation").reason == "by moderator@example.org"


def test_a_rejection_tells_the_reason(hold, visitor):
    post = hold()
    visitor("moderator").post(f"{BASE}held/{post.request_id}/", {"decision": "reject", "reason": "Not on Sundays."})
    assert Step.objects.filter(outcome="rejected", reason__contains="Not on Sundays.").exists()


def test_ticked_posts_are_decided_together_and_the_others_wait(hold, visitor):
    posts = [hold(number) for number in (1, 2, 3)]
    ticked = [posts[0].request_id, posts[2].request_id, "77", "x", "9" * 30]
    answer = visitor("owner").post(f"{BASE}held/", {"post": ticked, "decision": "discard"}, follow=True)
    assert "2 posts were decided about." in answer.content.decode()
    assert list(HeldMessage.objects.values_list("pk", flat=True)) == [posts[1].pk]


def test_nothing_ticked_or_an_unknown_word_changes_nothing(hold, visitor):
    hold()
    client = visitor("owner")
    for wish in ({"decision": "discard"}, {"post": "1", "decision": "shred"}, {"post": "1"}, {}):
        assert "Tick the posts" in client.post(f"{BASE}held/", wish, follow=True).content.decode()
    assert client.post(f"{BASE}held/1/", {"decision": "shred"}).status_code == 400
    assert HeldMessage.objects.count() == 1


def test_a_post_that_another_moderator_decided_about_is_gone(hold, visitor):
    hold()
    HeldMessage.objects.all().delete()
    client = visitor("owner")
    assert client.get(f"{BASE}held/1/").status_code == 404
    assert client.get(f"{BASE}held/{10**30}/").status_code == 404


def test_a_second_word_about_a_post_is_told_that_there_was_one(hold, visitor):
    """A double click sends the form twice, and two moderators may read the same post."""
    hold()
    client = visitor("moderator")
    for told in ("The post was accepted.", "decided about already"):
        answer = client.post(f"{BASE}held/1/", {"decision": "accept"}, follow=True)
        assert answer.status_code == 200
        assert told in answer.content.decode()


def test_a_hostile_post_is_shown_as_text(hold, visitor):
    html = "<script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)>hello"
    more = "X-Evil: <script>alert(3)</script>\r\nContent-Type: text/html\r\n"
    post = hold(subject="<script>alert(4)</script>", body=html, more=more)
    client = visitor("moderator")
    page = client.get(f"{BASE}held/{post.request_id}/").content.decode()
    assert "alert(1)" not in page
    assert "<script>alert" not in page
    assert "evil.example" not in page
    assert "hello" in page
    raw = client.get(f"{BASE}held/{post.request_id}/raw")
    assert raw["Content-Type"] == "application/octet-stream"
    assert raw["Content-Disposition"].startswith("attachment")
    assert raw["X-Content-Type-Options"] == "nosniff"


# --- requests


def test_ticked_requests_are_decided_together(ant, ask, visitor):
    tokens = [ask(f"joe{number}@example.net").token for number in range(3)]
    client = visitor("moderator")
    client.post(f"{BASE}requests/", {"token": tokens[:2], "decision": "accept"})
    client.post(f"{BASE}requests/", {"token": tokens[2:], "decision": "reject", "reason": "full"})
    assert member_of(ant, "joe0@example.net")
    assert member_of(ant, "joe1@example.net")
    assert member_of(ant, "joe2@example.net") is None
    assert not Pending.objects.filter(token_owner="moderator").exists()


# --- texts


def test_a_text_is_previewed_before_it_counts(ant, visitor):
    client = visitor("owner")
    page = f"{BASE}texts/{WELCOME}/"
    answer = client.post(page, {"body": "Hi $user_name, $nonsense <b>$listname</b>", "do": "preview"})
    shown = answer.content.decode()
    assert "Hi Anne Example, $nonsense &lt;b&gt;ant@example.com&lt;/b&gt;" in shown
    assert not OwnText.objects.exists()
    client.post(page, {"body": "Hi $user_name", "do": "keep", "language": "de"})
    assert OwnText.objects.get().language == "de"
    client.post(page, {"body": "", "do": "give_up", "language": "de"})
    assert not OwnText.objects.exists()


def test_a_text_that_cannot_be_kept_is_told(visitor):
    client = visitor("owner")
    for wish in ({"body": "x" * 70_000, "do": "keep"}, {"body": "a\0b", "do": "keep"}, {"body": "x", "language": "xx"}):
        assert client.post(f"{BASE}texts/{WELCOME}/", wish).status_code == 400
    assert client.get(f"{BASE}texts/list:user:notice:nothing/").status_code == 404


def test_every_text_has_a_page(visitor):
    client = visitor("owner")
    overview = client.get(f"{BASE}texts/").content.decode()
    for name in ALL_NAMES:
        assert f"texts/{name}/" in overview
        assert client.get(f"{BASE}texts/{name}/").status_code == 200


# --- how much a page asks


def queries(client, path: str) -> int:
    with CaptureQueriesContext(connection) as context:
        assert client.get(path).status_code == 200
    return len(context)


@pytest.mark.parametrize("path", ["held/", "held/1/", "requests/", "texts/"])
def test_a_page_asks_the_same_however_much_waits(hold, ask, visitor, path):
    client = visitor("moderator" if path != "texts/" else "owner")
    hold(1)
    ask("joe@example.net")
    client.get(BASE + path)
    few = queries(client, BASE + path)
    for number in range(2, 30):
        hold(number)
        ask(f"joe{number}@example.net")
    assert queries(client, BASE + path) == few <= 14
