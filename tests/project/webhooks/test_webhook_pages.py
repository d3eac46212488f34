"""Pages about webhooks: for the owners of the site and of a list, and for nobody else."""

import pytest
from django.test import Client

from postroad.community.lists.actions import create_domain, create_list
from postroad.community.people.actions import create_user, verify
from postroad.community.people.queries import find_address, find_user
from postroad.community.subscriptions.actions import join
from postroad.foundation.webhooks import actions
from postroad.foundation.webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db
SITE, ANT = "/webhooks/", "/lists/ant.example.com/webhooks/"
HOOK = {"url": "https://example.org/hook", "events": ["member.joined", "member.left"]}


@pytest.fixture(autouse=True)
def people():
    create_domain("example.com")
    for name in ("ant", "bee"):
        made = create_list(f"{name}@example.com")
        for role in ("owner", "moderator", "member"):
            join(made, f"{name}-{role}@example.com", role=role, pre_verified=True, pre_confirmed=True)
    create_user("root@example.com", is_server_owner=True)


def browser(email):
    client = Client()
    if find_user(email) is None:
        create_user(email)
    verify(find_address(email))
    client.force_login(find_user(email), "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture(params=[("root@example.com", SITE, ""), ("ant-owner@example.com", ANT, "ant.example.com")])
def owned(request):
    """An owner's browser, the page, and the list its webhooks are of."""
    email, place, list_id = request.param
    return browser(email), place, list_id


def test_an_owner_makes_a_webhook_and_sees_its_secret_once(owned):
    web, place, list_id = owned
    answer = web.post(place, HOOK)
    hook = Webhook.objects.get()
    assert (answer.status_code, hook.list_id, hook.events) == (201, list_id, HOOK["events"])
    assert hook.secret in answer.text
    assert "no-store" in answer["Cache-Control"]
    for page in (web.get(place), web.get(f"{place}{hook.pk}/")):
        assert HOOK["url"] in page.text
        assert hook.secret not in page.text


def test_a_test_is_sent_shown_and_the_webhook_removed(owned):
    web, place, list_id = owned
    hook = actions.make_webhook(**HOOK, list_id=list_id)
    page = f"{place}{hook.pk}/"
    assert web.post(page, {"do": "test"}).status_code == 302
    assert "waits" in web.get(page).text
    actions.note(Delivery.objects.get(), 204, "204")
    shown = web.get(page).text
    assert "webhook.test" in shown
    assert "delivered" in shown
    assert web.post(page, {"do": "remove"}).url == place
    assert not Webhook.objects.exists()
    assert web.get(page).status_code == 404


def test_what_was_given_up_is_tried_again_when_its_owner_says_so(owned):
    web, place, list_id = owned
    hook = actions.make_webhook(**HOOK, list_id=list_id)
    actions.send_test(hook)
    actions.note(Delivery.objects.get(), actions.GONE, "410")
    page = f"{place}{hook.pk}/"
    assert "given up" in web.get(place).text
    assert "Send a test" not in web.get(page).text
    web.post(page, {"do": "test"})
    assert Delivery.objects.count() == 1
    web.post(page, {"do": "enable"})
    assert "Send a test" in web.get(page).text


@pytest.mark.parametrize("fields", [{}, {"url": "ftp://example.org/"}, {**HOOK, "events": "no.event"}])
def test_a_wrong_form_is_shown_again_and_makes_nothing(owned, fields):
    web, place, _ = owned
    assert web.post(place, fields).status_code == 400
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("email", "site", "of_list"),
    [
        ("root@example.com", 200, 200), ("ant-owner@example.com", 404, 200), ("ant-moderator@example.com", 404, 404),
        ("ant-member@example.com", 404, 404), ("bee-owner@example.com", 404, 404), ("new@example.org", 404, 404),
    ],
)  # fmt: skip
def test_only_who_owns_it_sees_or_changes_anything(email, site, of_list):
    web = browser(email)
    for place, status, list_id in ((SITE, site, ""), (ANT, of_list, "ant.example.com")):
        hook = actions.make_webhook(**HOOK, list_id=list_id)
        assert [web.get(page).status_code for page in (place, f"{place}{hook.pk}/")] == [status, status]
        assert web.post(place, HOOK).status_code == (201 if status == 200 else 404)
        assert web.post(f"{place}{hook.pk}/", {"do": "remove"}).status_code == (302 if status == 200 else 404)
        assert Webhook.objects.filter(pk=hook.pk).exists() is (status == 404)


def test_who_is_not_signed_in_is_asked_to(owned):
    _, place, _ = owned
    assert Client().get(place).status_code == 302
    assert Client().post(place, HOOK).status_code == 302
    assert not Webhook.objects.exists()


def test_a_webhook_is_found_only_where_it_belongs():
    of_list = actions.make_webhook(**HOOK, list_id="ant.example.com")
    of_other = actions.make_webhook(**HOOK, list_id="bee.example.com")
    assert browser("root@example.com").get(f"{SITE}{of_list.pk}/").status_code == 404
    assert browser("ant-owner@example.com").post(f"{ANT}{of_other.pk}/", {"do": "remove"}).status_code == 404
    assert Webhook.objects.count() == 2


def test_a_page_asks_the_same_questions_for_any_number_of_rows(owned, django_assert_num_queries):
    web, place, list_id = owned
    for _ in range(10):
        hook = actions.make_webhook(**HOOK, list_id=list_id)
        actions.send_test(hook)
        actions.send_test(hook)
    many = 3 if not list_id else 8
    with django_assert_num_queries(many):
        web.get(place)
    with django_assert_num_queries(many + 1):
        web.get(f"{place}{hook.pk}/")
