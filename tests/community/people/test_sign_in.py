"""Signing up and in by allauth's pages, and what we know of people afterwards; the site's own dress is left off."""

import copy
import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from postroad.community.people import actions, queries
from postroad.community.people.models import User
from postroad.foundation.configuration import current

pytestmark = pytest.mark.django_db


@pytest.fixture
def plain(settings, client):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("postroad.foundation.web")]
    templates = copy.deepcopy(settings.TEMPLATES)
    options = templates[0]["OPTIONS"]
    options["context_processors"] = [n for n in options["context_processors"] if not n.startswith("postroad.")]
    settings.TEMPLATES = templates
    cache.clear()  # What allauth counts.
    return client


def signed_in(client):
    return client.session.get("_auth_user_id")


def code_in_last_mail():
    return re.search(r"^\s*([A-Z0-9]{4}-?[A-Z0-9]{4}|[A-Z0-9]{6,})\s*$", mail.outbox[-1].body, re.MULTILINE)[1]


def test_one_signs_in_by_any_verified_address_and_the_password(plain):
    user = actions.create_user("anne@example.com", "Anne", "correct horse")
    for address in (user.addresses.get(), actions.add_address(user, "second@example.com")):
        actions.verify(address)
        plain.post("/accounts/login/", {"login": address.email.upper(), "password": "correct horse"})
        assert signed_in(plain) == str(user.pk)
        plain.logout()
    user.refresh_from_db()
    assert user.preferred_address is not None


def test_a_wrong_password_signs_nobody_in(plain):
    user = actions.create_user("anne@example.com", "Anne", "correct horse")
    actions.verify(user.addresses.get())
    plain.post("/accounts/login/", {"login": "anne@example.com", "password": "wrong"})
    assert signed_in(plain) is None


def test_who_signs_up_and_proves_the_address_gets_what_was_subscribed_with_it(plain):
    subscribed = actions.ensure_address("anne@example.com")
    form = {"email": "Anne@example.com", "password1": "correct horse", "password2": "correct horse"}
    plain.post("/accounts/signup/", form)
    subscribed.refresh_from_db()
    assert subscribed.user is None
    assert signed_in(plain) is None
    plain.post("/accounts/confirm-email/", {"code": code_in_last_mail()})
    subscribed.refresh_from_db()
    user = User.objects.get()
    assert (subscribed.user, subscribed.verified_on is None) == (user, False)
    assert signed_in(plain) == str(user.pk)


def test_a_user_without_password_signs_in_by_a_code_and_has_proved_the_address(plain):
    user = actions.create_user("anne@example.com")
    plain.post("/accounts/login/code/", {"email": "anne@example.com"})
    plain.post("/accounts/login/code/confirm/", {"code": code_in_last_mail()})
    assert signed_in(plain) == str(user.pk)
    assert queries.find_address("anne@example.com").verified_on is not None


def test_an_address_taken_from_a_user_no_longer_signs_in(plain):
    user = actions.create_user("anne@example.com", "Anne", "correct horse")
    second = actions.add_address(user, "second@example.com")
    actions.verify(second)
    actions.unlink(second)
    plain.post("/accounts/login/", {"login": "second@example.com", "password": "correct horse"})
    assert signed_in(plain) is None


def test_a_mail_leads_to_this_site_whatever_host_its_cause_named(plain):
    """Else whoever asks for somebody's new password with a Host of his own gets its secret when the link is followed."""
    actions.verify(actions.create_user("anne@example.com", "Anne", "correct horse").addresses.get())
    for email in ("anne@example.com", "nobody@example.com"):
        plain.post("/accounts/password/reset/", {"email": email}, headers={"host": "evil.example"})
        assert "evil.example" not in mail.outbox[-1].subject + mail.outbox[-1].body
        assert f"{current().site.base_url}/accounts/" in mail.outbox[-1].body


def test_wrong_passwords_are_counted_whatever_host_they_are_sent_to(plain):
    actions.verify(actions.create_user("anne@example.com", "Anne", "correct horse").addresses.get())
    for number in range(12):
        plain.post(
            "/accounts/login/", {"login": "anne@example.com", "password": "wrong"},
            headers={"host": f"h{number}.example"}, REMOTE_ADDR=f"192.0.2.{number}",
        )  # fmt: skip
    plain.post("/accounts/login/", {"login": "anne@example.com", "password": "correct horse"})
    assert signed_in(plain) is None


@pytest.mark.parametrize("origin", ["http://other.example", current().site.base_url, "https://evil.example"])
def test_a_form_may_be_sent_from_any_name_the_site_is_reached_by(origin):
    """Its Origin (CSRF) is the name in use, or base_url's, which a proxy that speaks TLS may keep to itself."""
    client = Client(enforce_csrf_checks=True)
    page = client.get("/accounts/login/", headers={"host": "other.example"})
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
    form = {"login": "anne@example.com", "password": "x", "csrfmiddlewaretoken": token}
    answer = client.post("/accounts/login/", form, headers={"host": "other.example", "origin": origin})
    assert answer.status_code == (403 if "evil" in origin else 200)
