"""Webhooks against a real server: signed, repeated with back-off, given up, and never sent to an address inside."""

import contextlib
import dataclasses
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_site import ANT, Site

from postroad.foundation.configuration import Webhooks
from postroad.foundation.errors import BadInput, Conflict
from postroad.foundation.queue.models import Job
from postroad.foundation.queue.worker import Worker
from postroad.foundation.webhooks import actions, destination
from postroad.foundation.webhooks.models import Delivery, Webhook
from postroad.foundation.webhooks.worker import signature
from postroad.mailflow.timetable import HOOKS
from tests.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


class Receiver(ThreadingHTTPServer):
    """Keeps what it is told; `status` is what it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.status, self.location = 204, ""
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments) -> None:
        pass


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    made = Receiver()
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, webhooks=Webhooks(allow_networks=("127.0.0.0/8",)))
    yield made
    made.shutdown()
    made.thread.join()
    made.server_close()


@pytest.fixture(autouse=True)
def forgotten():
    actions._forget()


def tell_all() -> None:
    Job.objects.filter(queue="webhooks").update(due_at=0)
    Worker("test", HOOKS).run_until_idle()


def test_an_event_is_told_once_and_signed(receiver):
    hook = actions.make_webhook(receiver.url, ["member.joined"], "ants.example.com")
    actions.announce("member.joined", "ants.example.com", {"email": "anne@example.org"})
    actions.announce("member.joined", "bees.example.com", {"email": "bill@example.org"})
    actions.announce("member.left", "ants.example.com", {"email": "carl@example.org"})
    tell_all()
    ((headers, body),) = receiver.told
    said = json.loads(body)
    assert (said["type"], said["data"]) == (
        "member.joined",
        {"list_id": "ants.example.com", "email": "anne@example.org"},
    )
    moment = int(headers["webhook-timestamp"])
    assert abs(moment - time.time()) < 60
    assert headers["webhook-signature"] == signature(hook.secret, headers["webhook-id"], moment, body)
    delivery = Delivery.objects.get()
    assert (delivery.was_delivered, delivery.outcome, delivery.attempts) == (True, "204", 1)


def test_a_test_is_told_whatever_a_webhook_wants_to_know_and_only_while_it_is_not_given_up(receiver):
    hook = actions.make_webhook(receiver.url, ["member.left"])
    actions.send_test(hook)
    receiver.status = 410
    tell_all()
    assert [json.loads(body)["type"] for _, body in receiver.told] == ["webhook.test"]
    with pytest.raises(Conflict, match="given up"):
        actions.send_test(Webhook.objects.get())


def test_the_signature_is_that_of_standard_webhooks():
    """The example of the convention's own text."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


def test_a_failure_is_repeated_with_back_off_and_the_same_name(receiver):
    actions.make_webhook(receiver.url, [])
    receiver.status = 500
    actions.announce("member.left", "ants.example.com", {})
    Worker("test", HOOKS).run_until_idle()
    assert len(receiver.told) == 1
    (due,) = Job.objects.filter(queue="webhooks").values_list("due_at", flat=True)
    assert 3 < due - time.time() <= actions.BACK_OFF[0]
    receiver.status = 200
    tell_all()
    assert receiver.told[0][0]["webhook-id"] == receiver.told[1][0]["webhook-id"]
    assert Delivery.objects.get().was_delivered
    assert Webhook.objects.get().failing_since is None


def test_an_event_is_given_up_after_the_last_attempt(receiver):
    actions.make_webhook(receiver.url, [])
    receiver.status = 503
    actions.announce("member.left", "ants.example.com", {})
    for _ in range(len(actions.BACK_OFF) + 3):
        tell_all()
    assert len(receiver.told) == len(actions.BACK_OFF) + 1
    assert Delivery.objects.get().finished_at is not None
    assert not Job.objects.filter(queue="webhooks").exists()


@pytest.mark.parametrize("status", [500, 410])
def test_a_webhook_that_fails_for_days_or_is_gone_is_disabled(receiver, status):
    actions.make_webhook(receiver.url, [])
    receiver.status = status
    if status == 500:
        Webhook.objects.update(failing_since=time.time() - actions.DISABLED_AFTER - 1)
    actions.announce("member.left", "ants.example.com", {})
    tell_all()
    hook = Webhook.objects.get()
    assert hook.disabled_at is not None
    actions.announce("member.left", "ants.example.com", {})
    assert Delivery.objects.count() == 1
    actions.enable(hook)
    receiver.status = 204
    actions.announce("member.left", "ants.example.com", {})
    tell_all()
    assert Delivery.objects.filter(was_delivered=True).count() == 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "10.1.2.3",
        "169.254.169.254",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "100.64.0.1",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "224.0.0.1",
    ],
)
def test_no_address_inside_is_asked(receiver, settings, host):
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, webhooks=Webhooks())
    actions.make_webhook(f"http://{host}:{receiver.server_port}/hook", [])
    actions.announce("member.left", "ants.example.com", {})
    tell_all()
    assert not receiver.told
    assert "refused" in Delivery.objects.get().outcome or "network" in Delivery.objects.get().outcome.lower()


def test_no_redirect_is_followed(receiver):
    actions.make_webhook(receiver.url, [])
    receiver.status, receiver.location = 302, receiver.url
    actions.announce("member.left", "ants.example.com", {})
    tell_all()
    assert len(receiver.told) == 1
    assert Delivery.objects.get().outcome == "302"


def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(receiver, settings, monkeypatch):
    """DNS rebinding: the name is resolved once, and the connection goes to the address that was checked."""
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, webhooks=Webhooks())
    answers, asked, reached = iter(["93.184.216.34", "127.0.0.1"]), [], []

    def resolve(host, port, *arguments, **more):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address, *arguments):
        reached.append(address[0])
        raise ConnectionRefusedError("not here")

    monkeypatch.setattr(destination.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(destination.socket, "create_connection", connect)
    with pytest.raises(destination.Unreachable):
        destination.post("http://rebind.example/hook", b"", {})
    assert (asked, reached) == (["rebind.example"], ["93.184.216.34"])


def test_why_an_address_was_not_reached_is_told_in_words(settings):
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, webhooks=Webhooks(allow_networks=("127.0.0.0/8",)))
    with pytest.raises(destination.Unreachable, match=r"^Connection refused$"):
        destination.post(f"http://127.0.0.1:{free_port()}/hook", b"", {})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org/",
        "http://u:p@example.org/",
        "http:///x",
        "http://[",
        "http://é/",
        "http://a:b/",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(BadInput):
        actions.make_webhook(url, [])


@pytest.mark.sqlite_only
@given(st.text(max_size=200))
def test_no_text_breaks_the_check_of_addresses(text):
    with contextlib.suppress(BadInput):
        destination.check_url(text)


def test_the_road_announces_what_happens(receiver):
    """Join, hold, accept and leave of a real site, told in order to the hook of the list alone."""
    site = Site()
    site.build()
    Webhook.objects.all().delete()
    made = site.rest.post(f"lists/{ANT}/webhooks", url=receiver.url)
    assert made.json["secret"].startswith("whsec_")
    new = {
        "list_id": ANT,
        "subscriber": "new@example.org",
        "pre_verified": True,
        "pre_confirmed": True,
        "pre_approved": True,
    }
    assert site.rest.call("POST", "members", json=new).status == 201
    assert site.rest.post(f"lists/{ANT}/held/1", action="accept").status == 204
    assert site.rest.delete(f"lists/{ANT}/member/new@example.org").status == 204
    tell_all()
    assert sorted(json.loads(body)["type"] for _, body in receiver.told) == [
        "member.joined",
        "member.left",
        "post.accepted",
    ]
    shown = site.rest.get(f"lists/{ANT}/webhooks/{made.json['id']}/deliveries").entries
    assert {entry["event"] for entry in shown} == {"member.joined", "member.left", "post.accepted"}
    assert "secret" not in site.rest.get(f"lists/{ANT}/webhooks/{made.json['id']}").json
