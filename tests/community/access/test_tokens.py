"""Tokens of people: what is kept, what they allow, when they end."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_client import Rest

from postroad.community.access import actions
from postroad.community.access.models import Token
from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.foundation.errors import BadInput, NotAllowed
from postroad.foundation.rest import audit
from postroad.foundation.rest.models import Call

pytestmark = pytest.mark.django_db


@pytest.fixture
def ant(db):
    lists.create_domain("example.com")
    lists.create_list("bee@example.com")
    return lists.create_list("ant@example.com")


def person(email, mailing_list=None, role="owner", *, verified=True, **more):
    user = people.create_user(email, password="correct horse", **more)
    if verified:
        people.verify(user.addresses.get())
    if mailing_list is not None:
        subscriptions.join(mailing_list, email, role=role)
    return user


@pytest.fixture
def olga(ant):
    """Owner of the ants."""
    return person("olga@example.com", ant)


def status(secret, path, method="GET"):
    return Rest(token=secret).call(method, path).status


def test_only_a_hash_is_kept_and_the_secret_is_long(olga):
    token, secret = actions.make_token(olga, "script", "read")
    assert len(secret) == 40
    assert secret not in repr(list(Token.objects.values_list()))
    assert status(secret, "lists/ant.example.com") == 200
    assert status(token.digest, "lists/ant.example.com") == 401


def test_a_token_may_what_its_scope_says_on_its_lists_only(olga, ant):
    _, read = actions.make_token(olga, "read", "read")
    _, manage = actions.make_token(olga, "manage", "manage", ["ant@example.com"])
    assert status(read, "lists/ant.example.com") == 200
    assert status(read, "lists/ant.example.com/config") == 403
    assert status(manage, "lists/ant.example.com/config") == 200
    assert status(manage, "lists/ant@example.com/config") == 200
    assert status(manage, "lists/bee.example.com/config") == 403
    assert status(manage, "domains") == 403
    assert status(manage, "lists/ant.example.com", "DELETE") == 403


def test_a_token_never_does_more_than_its_person_may_now(olga, ant):
    """Whoever is no owner any more has no right any more, without anybody revoking a token."""
    _, secret = actions.make_token(olga, "script", "manage")
    assert status(secret, "lists/ant.example.com/config") == 200
    subscriptions.remove(Member.objects.get(mailing_list=ant, role="owner"))
    assert status(secret, "lists/ant.example.com/config") == 403


def test_an_address_that_was_not_shown_to_be_owned_gives_no_right(ant):
    user = person("eve@example.com", ant, verified=False)
    token = Token.objects.create(
        user=user, name="x", digest="x", scope="manage", expires_at=timezone.now() + timedelta(1)
    )
    from postroad.community.access.queries import TokenCaller

    assert not TokenCaller(token).may("read", "ant.example.com")


@pytest.mark.parametrize("change", [{"expires_at": timezone.now()}, {"deleted": True}, {"inactive": True}])
def test_a_token_that_is_over_is_no_credential(olga, change):
    token, secret = actions.make_token(olga, "script", "read")
    if "deleted" in change:
        actions.revoke(token)
    elif "inactive" in change:
        type(olga).objects.filter(pk=olga.pk).update(is_active=False)
    else:
        Token.objects.update(**change)
    assert status(secret, "lists/ant.example.com") == 401


def test_the_whole_site_is_for_server_owners(olga, ant):
    with pytest.raises(NotAllowed):
        actions.make_token(olga, "x", "site")
    root = person("root@example.com", is_server_owner=True)
    _, secret = actions.make_token(root, "x", "site")
    assert status(secret, "domains") == 200
    type(root).objects.filter(pk=root.pk).update(is_superuser=False)
    assert status(secret, "domains") == 403


@pytest.mark.parametrize(
    ("name", "scope", "names", "days"),
    [
        ("", "read", [], 1),
        ("x" * 101, "read", [], 1),
        ("x", "all", [], 1),
        ("x", "read", ["no.example.com"], 1),
        ("x", "read", [], 0),
        ("x", "read", [], 10**6),
    ],
)
def test_what_makes_no_sense_is_refused(olga, name, scope, names, days):
    with pytest.raises(BadInput):
        actions.make_token(olga, name, scope, names, days)
    assert not Token.objects.exists()


def test_a_moderator_cannot_make_a_token_that_manages(ant):
    moderator = person("mo@example.com", ant, "moderator")
    with pytest.raises(NotAllowed):
        actions.make_token(moderator, "x", "manage", ["ant.example.com"])
    _, secret = actions.make_token(moderator, "x", "manage")
    assert status(secret, "lists/ant.example.com/held") == 200
    assert status(secret, "lists/ant.example.com/config") == 403


def test_the_last_use_and_every_call_are_noted(olga):
    audit.flush()
    Call.objects.all().delete()
    token, secret = actions.make_token(olga, "script", "read")
    assert token.last_used_at is None
    status(secret, "lists/ant.example.com")
    status("0" * 40, "lists/ant.example.com")
    token.refresh_from_db()
    assert token.last_used_at is not None
    audit.flush()
    assert set(Call.objects.values_list("caller", "status")) == {
        (f"olga@example.com (token {token.pk}: script)", 200), ("nobody", 401),
    }  # fmt: skip


def test_tokens_are_made_shown_and_revoked_over_rest(rest, olga):
    made = rest.post("tokens", user="olga@example.com", name="script", scope="manage", lists="ant@example.com", days=3)
    assert (made.status, made.json["lists"]) == (201, ["ant.example.com"])
    secret, place = made.json["token"], f"tokens/{made.json['id']}"
    assert "token" not in rest.get(place).json
    assert status(secret, "lists/ant.example.com/config") == 200
    assert rest.delete(place).status == 204
    assert status(secret, "lists/ant.example.com/config") == 401
    assert rest.post("tokens", user="olga@example.com", name="x", scope="site").status == 403


# --- the page


@pytest.fixture
def web(olga):
    client = Client()
    client.force_login(olga, "django.contrib.auth.backends.ModelBackend")
    return client


def test_a_person_makes_a_token_sees_it_once_and_revokes_it(web, olga):
    answer = web.post(
        "/accounts/tokens/", {"name": "backup", "scope": "moderate", "lists": ["ant.example.com"], "days": "90"}
    )
    assert answer.status_code == 201
    secret = answer.context["secret"]
    assert secret in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert status(secret, "lists/ant.example.com/held") == 200
    page = web.get("/accounts/tokens/").text
    assert "backup" in page
    assert secret not in page
    assert web.post(f"/accounts/tokens/{Token.objects.get().pk}/revoke/").status_code == 302
    assert not Token.objects.exists()


def test_nobody_sees_or_ends_the_tokens_of_others(web, ant):
    other, _ = actions.make_token(person("mo@example.com", ant, "moderator"), "private name", "read")
    assert "private name" not in web.get("/accounts/tokens/").text
    assert web.post(f"/accounts/tokens/{other.pk}/revoke/").status_code == 404
    assert Client().get("/accounts/tokens/").status_code == 302
    assert web.get(f"/accounts/tokens/{other.pk}/revoke/").status_code == 405


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": "x", "scope": "site", "days": "90"},
        {"name": "x", "scope": "read", "days": "1"},
        {"name": "x", "scope": "read", "days": "90", "lists": "bee.example.com"},
    ],
)
def test_a_wrong_form_makes_no_token(web, fields):
    assert web.post("/accounts/tokens/", fields).status_code == 400
    assert not Token.objects.exists()


def test_the_page_asks_the_same_questions_for_any_number_of_tokens(web, olga, django_assert_max_num_queries):
    for number in range(20):
        actions.make_token(olga, str(number), "read")
    with django_assert_max_num_queries(6):
        web.get("/accounts/tokens/")
