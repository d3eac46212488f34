"""Texts behind URIs, fetched from a real server by the real worker: limits, failures, and nobody waits in a transaction."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection

from postroad.community.lists import actions as lists
from postroad.community.notices import actions, fetching, template_uris
from postroad.community.notices.models import FetchedText
from postroad.community.notices.templates import text
from postroad.foundation.configuration import Templates
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.queue.worker import Worker
from postroad.foundation.storage import actions as storage
from postroad.mailflow.timetable import FETCHES

pytestmark = pytest.mark.django_db(transaction=True)

WELCOME = "list:user:notice:welcome"


class Server(ThreadingHTTPServer):
    """Answers `/text`, and misbehaves at the other addresses; `asked` keeps the paths and credentials."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None, bool]] = []
        self.text = "Own text for $display_name."
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()

    def handle_error(self, request, client_address) -> None:
        """Clients that hang up are what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization"), connection.in_atomic_block))
        match self.path.partition("?")[0].rpartition("/")[2]:
            case "text":
                self.say(200, self.server.text.encode())
            case "huge":
                self.say(200, b"x" * (fetching.LARGEST_TEXT + 1))
            case "elsewhere":
                self.say(302, b"", Location=f"http://localhost:{self.server.server_port}/text")
            case "binary":
                self.say(200, b"\xff\xfe\x00")
            case "broken":
                self.say(500, b"no")
            case "slow":
                self.server.over.wait(20)
            case "drip":
                self.send_response(200)
                self.end_headers()
                while not self.server.over.wait(0.05):
                    self.wfile.write(b"x")

    def say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture
def server(settings, monkeypatch) -> Iterator[Server]:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.5)
    made = Server()
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, templates=Templates(fetch_from=(made.url,)))
    yield made
    made.over.set()
    made.shutdown()
    made.thread.join()
    made.server_close()


@pytest.fixture
def ants(transactional_db):
    lists.create_domain("notices.example")
    return lists.create_list("ants@notices.example")


def set_uri(uri, context="list:ants.notices.example", **credential):
    template_uris.set_uris(context, {WELCOME: uri}, **credential)


def fetch_all():
    Worker("test", FETCHES).run_until_idle()


def welcomes() -> list[str]:
    return [storage.load(decode(bytes(job.envelope)).message).decode() for job in Job.objects.filter(queue="pipeline")]


def test_a_text_is_fetched_when_its_address_is_set_and_kept(server, ants):
    set_uri(f"{server.url}/text", username="me", password="secret")
    assert "Own text" not in text(WELCOME, ants)
    fetch_all()
    assert text(WELCOME, ants) == server.text
    assert [path for path, *_ in server.asked] == ["/text"]
    assert server.asked[0][1].startswith("Basic ")
    text(WELCOME, ants)
    fetch_all()
    assert len(server.asked) == 1


def test_a_notice_waits_for_a_text_that_nobody_asked_for_yet(server, ants):
    set_uri(f"{server.url}/text?list=$list_id", context="")
    actions.welcome(ants, "anne@example.org", "Anne")
    assert not welcomes()
    fetch_all()
    (mail,) = welcomes()
    assert "Own text for Ants." in mail
    assert "To: Anne <anne@example.org>" in mail
    assert server.asked[0][0] == "/text?list=ants.notices.example"


def test_an_owners_notice_waits_too(server, ants):
    template_uris.set_uris("", {"list:admin:notice:subscribe": f"{server.url}/text"})
    actions.tell_owners(ants, "list:admin:notice:subscribe", "anne@example.org")
    assert not welcomes()
    fetch_all()
    assert "Own text for Ants." in welcomes()[0]


@pytest.mark.parametrize("path", ["huge", "elsewhere", "binary", "broken", "slow", "drip", "none/../../x"])
def test_whatever_the_server_does_the_notice_goes_out(server, ants, path):
    """Within the time limit, in the text that comes with Postroad; no redirect is followed."""
    set_uri(f"{server.url}/{path}")
    actions.welcome(ants, "anne@example.org", "Anne")
    began = time.monotonic()
    fetch_all()
    assert time.monotonic() - began < 10
    assert "Welcome to" in welcomes()[0]
    assert not any(asked == "/text" for asked, *_ in server.asked)


def test_a_failed_refresh_keeps_the_last_text(server, ants):
    set_uri(f"{server.url}/text")
    fetch_all()
    server.shutdown()
    server.server_close()
    FetchedText.objects.update(next_at=0)
    assert text(WELCOME, ants) == server.text
    fetch_all()
    assert text(WELCOME, ants) == server.text


def test_an_old_text_is_used_once_more_and_fetched_anew(server, ants):
    set_uri(f"{server.url}/text")
    fetch_all()
    server.text = "Newer."
    FetchedText.objects.update(next_at=0)
    assert text(WELCOME, ants).startswith("Own text")
    fetch_all()
    assert text(WELCOME, ants) == "Newer."


def test_setting_an_address_again_fetches_it_again(server, ants):
    """As Postorius does when somebody edits the text there."""
    set_uri(f"{server.url}/text")
    fetch_all()
    server.text = "Edited."
    set_uri(f"{server.url}/text")
    actions.welcome(ants, "anne@example.org", "Anne")
    fetch_all()
    assert "Edited." in welcomes()[0]


@pytest.mark.parametrize(
    "uri",
    ["http://127.0.0.1:1/text", "file:///etc/passwd", "http://localhost/", "http://u:p@127.0.0.1/", "gopher://x/"],
)
def test_only_what_the_owner_of_the_site_allows_is_asked(server, ants, uri):
    set_uri(uri)
    actions.welcome(ants, "anne@example.org", "Anne")
    fetch_all()
    assert not server.asked
    assert "Welcome to" in welcomes()[0]


def test_a_forgotten_address_leaves_no_text(server, ants):
    set_uri(f"{server.url}/text")
    fetch_all()
    template_uris.forget_uris("list:ants.notices.example")
    assert not FetchedText.objects.exists()
    assert "Welcome" in text(WELCOME, ants)


def test_no_transaction_is_open_while_a_server_is_asked(server, ants, monkeypatch):
    open_at = []
    real = fetching.fetch
    monkeypatch.setattr(fetching, "fetch", lambda *a: (open_at.append(connection.in_atomic_block), real(*a))[1])
    set_uri(f"{server.url}/text")
    actions.welcome(ants, "anne@example.org", "Anne")
    fetch_all()
    assert open_at
    assert not any(open_at)
