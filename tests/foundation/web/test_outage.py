"""A page that cannot be made for want of the database says so, and comes again; a fault of ours is not called that."""

import errno
import sqlite3

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from django.test import Client
from django.urls import path

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]


def away(request):
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/at/all.db"}
    ConnectionHandler({"default": settings})["default"].cursor()


def full(request):
    raise OperationalError("database or disk is full") from OSError(errno.ENOSPC, "No space left on device")


def wrong(request):
    raise OperationalError("no such column: x") from sqlite3.OperationalError("no such column: x")


urlpatterns = [path("away/", away), path("full/", full), path("wrong/", wrong)]


@pytest.fixture
def visitor(settings) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(("where", "status"), [("/away/", 503), ("/full/", 507)])
def test_a_page_in_an_outage_is_to_be_asked_for_again(visitor, where, status):
    answer = visitor.get(where)
    assert answer.status_code == status
    assert int(answer["Retry-After"]) > 0
    assert "Nothing is lost" in answer.text
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_a_wrong_statement_is_a_fault_and_no_outage(visitor):
    assert visitor.get("/wrong/").status_code == 500
