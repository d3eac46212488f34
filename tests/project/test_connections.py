"""The database's connection of a process that answers pages and REST, while the database comes and goes."""

import io

import pytest
from django.db import connection

from postroad.project import http

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connection that could be lost"),
]


def answered(handler, path):
    """Status of the answer to a GET."""
    told = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
    }  # fmt: skip
    list(handler(environ, lambda status, _fields: told.append(status)))
    return told[0][:3]


def end_connection():
    """Let the database end this thread's connection, as its restart does."""
    with connection.cursor() as cursor, pytest.raises(Exception, match="terminat"):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.errors_occurred = False  # Nobody here has noticed.


@pytest.fixture
def rested(monkeypatch):
    monkeypatch.setattr(http, "TRUSTED_SECONDS", -1.0)


@pytest.mark.usefixtures("rested")
def test_a_page_is_there_at_once_after_the_database_was_restarted():
    pages = http.PageHandler()
    assert answered(pages, "/") == "200"
    end_connection()
    assert answered(pages, "/") == "200"


def test_a_lost_connection_costs_no_more_than_one_page():
    pages = http.PageHandler()
    assert answered(pages, "/search/help/") == "200"
    end_connection()
    assert answered(pages, "/") == "503"  # A connection that was used a moment ago is not tried out.
    assert answered(pages, "/") == "200"
