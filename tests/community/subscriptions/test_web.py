"""The pages behind a mail's links, end to end (RFC 8058, facts: standards §2, security T6, T7)."""

import pytest
from django.test import Client

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions, queries
from postroad.community.subscriptions.models import Member, Pending
from postroad.community.subscriptions.tokens import choice_token, unsubscribe_token

pytestmark = pytest.mark.django_db

THREAD = "A" * 32


@pytest.fixture
def web():
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def anne(ants, mails):
    row = actions.join(
        ants, "anne@example.org", pre_verified=True, pre_confirmed=True, delivery_mode="mime_digests"
    ).member
    mails()
    return row


def link(mailing_list, member):
    return f"/lists/{mailing_list.list_id}/unsubscribe/{unsubscribe_token(mailing_list.pk, member.pk)}"


@pytest.mark.parametrize("policy", ["open", "confirm", "moderate", "confirm_then_moderate"])
def test_one_click_ends_the_membership_whatever_the_policy(ants, anne, web, policy):
    lists.change_settings(ants, {"unsubscription_policy": policy})
    url = link(ants, anne)
    answer = web.post(url, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not answer.cookies
    assert not Member.objects.exists()
    assert web.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200


def test_one_click_may_come_as_a_form_or_in_one_line(ants, anne, web):
    body = "List-Unsubscribe=One-Click"
    assert web.post(link(ants, anne), body, content_type="application/x-www-form-urlencoded").status_code == 200
    assert not Member.objects.exists()


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(ants, anne, web, method):
    answer = getattr(web, method)(link(ants, anne))
    assert answer.status_code == 200
    assert Member.objects.count() == 1
    assert "no-cache" in answer["Cache-Control"]


def test_a_token_of_another_list_or_member_is_nothing(ants, anne, web):
    bees = lists.create_list("bees@join.example")
    token = unsubscribe_token(ants.pk, anne.pk)
    for url in (f"/lists/{bees.list_id}/unsubscribe/{token}", f"/lists/{ants.list_id}/unsubscribe/{'0' * 40}"):
        assert web.post(url).status_code == 404
    assert Member.objects.count() == 1


def test_the_page_offers_to_take_it_back(ants, anne, web, mails):
    page = web.post(link(ants, anne)).content.decode()
    url = page.partition('href="/lists/ants.join.example/confirm/')[2].partition('"')[0]
    url = f"/lists/ants.join.example/confirm/{url}"
    assert url in mails()[0].text
    assert web.get(url).status_code == 200
    assert not Member.objects.exists()
    assert web.post(url).status_code == 200
    assert queries.member_of(ants, "anne@example.org").delivery_mode == "mime_digests"
    assert web.post(url).status_code == 404


def test_joining_on_the_web_from_form_to_member(ants, web, mails):
    csrf = web.get("/lists/ants.join.example/join/").context["csrf_token"]
    data = {
        "email": "anne@example.org",
        "display_name": "Anne",
        "delivery_mode": "regular",
        "csrfmiddlewaretoken": csrf,
    }
    assert web.post("/lists/ants.join.example/join/", {**data, "csrfmiddlewaretoken": "x"}).status_code == 403
    assert web.post("/lists/ants.join.example/join/", data).status_code == 200
    secret = mails()[0].secret
    url = f"/lists/ants.join.example/confirm/{secret}"
    assert "Do you want to join" in web.get(url).content.decode()
    assert not Member.objects.exists()
    assert "You are a member now" in web.post(url).content.decode()
    assert queries.member_of(ants, "anne@example.org").address.display_name == "Anne"


def test_members_and_strangers_get_the_same_page(ants, anne, mails):
    web = Client()
    pages = set()
    for email in ("anne@example.org", "stranger@example.org"):
        data = {"email": email, "delivery_mode": "regular"}
        for form in ("join", "leave"):
            answer = web.post(f"/lists/ants.join.example/{form}/", data)
            pages.add((answer.status_code, answer.content))
    assert len(pages) == 1


def test_too_many_requests_are_told_so(ants):
    web = Client()
    codes = [
        web.post(
            "/lists/ants.join.example/join/", {"email": f"a{n}@example.org", "delivery_mode": "regular"}
        ).status_code
        for n in range(12)
    ]
    assert codes == [200] * 10 + [429] * 2


def test_requests_for_members_are_counted_like_those_for_strangers(ants, anne):
    """Else whoever comes to the limit later than with other addresses knows who is a member, or banned."""
    web = Client()
    data = {"email": "anne@example.org", "delivery_mode": "regular"}
    codes = [web.post("/lists/ants.join.example/join/", data).status_code for _ in range(12)]
    assert codes == [200] * 10 + [429] * 2


def test_leaving_on_the_web_takes_a_mails_link(ants, anne, mails):
    lists.change_settings(ants, {"unsubscription_policy": "open"})
    web = Client()
    web.post("/lists/ants.join.example/leave/", {"email": "anne@example.org"})
    assert Member.objects.count() == 1
    web.post(f"/lists/ants.join.example/confirm/{mails()[0].secret}")
    assert not Member.objects.exists()


def test_an_invitation_is_accepted_on_the_web(ants, web, mails):
    actions.join(ants, "anne@example.org", invitation=True)
    url = f"/lists/ants.join.example/confirm/{mails()[0].secret}"
    assert "invited" in web.get(url).content.decode()
    web.post(url)
    assert queries.member_of(ants, "anne@example.org")


def test_it_was_not_me(ants, web, mails):
    actions.join(ants, "anne@example.org")
    url = f"/lists/ants.join.example/confirm/{mails()[0].secret}"
    assert web.post(url, {"never": "1"}).status_code == 200
    assert not Pending.objects.exists()
    assert web.post(url).status_code == 404


def test_a_change_is_shown_before_it_is_agreed_to(ants, anne, web, mails):
    actions.set_options(anne, {"delivery_mode": "plaintext_digests"}, proved=False)
    url = f"/lists/ants.join.example/confirm/{mails()[0].secret}"
    assert "plaintext digests" in web.get(url).content.decode()
    web.post(url)
    anne.refresh_from_db()
    assert anne.delivery_mode == "plaintext_digests"


def test_a_thread_is_muted_and_unmuted_by_the_footers_link(ants, anne, web):
    url = f"/lists/{ants.list_id}/choose/{THREAD}/{choice_token(ants.pk, anne.pk)}"
    web.get(url)
    assert queries.thread_choice(anne, THREAD) == ""
    assert web.post(url, {"wish": "mute"}).status_code == 200
    assert queries.thread_choice(anne, THREAD) == "mute"
    assert web.post(url, {"wish": "sing"}).status_code == 400
    web.post(url, {"wish": ""})
    assert queries.thread_choice(anne, THREAD) == ""
    assert web.post(f"/lists/{ants.list_id}/choose/{THREAD}/{'0' * 40}").status_code == 404


def test_pages_cost_few_queries(ants, anne, web, mails, django_assert_max_num_queries):
    actions.set_options(anne, {"hide_address": True}, proved=False)
    with django_assert_max_num_queries(5):
        web.get(f"/lists/ants.join.example/confirm/{mails()[0].secret}")
    with django_assert_max_num_queries(5):
        web.get(link(ants, anne))
