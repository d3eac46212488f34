"""The header fields every page carries."""

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory

from postroad.community.people.models import User
from postroad.foundation.web.context import site
from postroad.foundation.web.security import SecurityHeaders

pytestmark = pytest.mark.sqlite_only


def page(user=None, **fields):
    request = RequestFactory().get("/")
    if user is not None:
        request.user = user
    return SecurityHeaders(lambda _: HttpResponse("hello", headers=fields))(request)


def test_a_page_runs_only_its_own_scripts_and_nobody_frames_it():
    policy = page()["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_page_may_have_a_stricter_policy_of_its_own():
    assert page(**{"Content-Security-Policy": "sandbox"})["Content-Security-Policy"] == "sandbox"


def test_pages_of_somebody_signed_in_stay_out_of_every_cache():
    assert page(User(email="anne@example.com"))["Cache-Control"] == "private, no-store"
    assert page(AnonymousUser())["Cache-Control"] == "no-cache"


def test_a_page_that_says_how_long_it_keeps_is_believed():
    assert page(User(), **{"Cache-Control": "max-age=60"})["Cache-Control"] == "max-age=60"


def test_the_frame_knows_the_sites_name():
    assert site(RequestFactory().get("/"))["site_name"] == settings.POSTROAD.site.name
