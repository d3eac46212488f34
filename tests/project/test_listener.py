"""The listener: requests that were begun are answered, a taken address is told, a proxy is believed only when asked."""

import asyncio
import contextlib
import dataclasses
import http.client
import socket
import threading

import pytest

from postroad.foundation.sections import Listen
from postroad.project.http import serve
from postroad.project.listener import Listener

pytestmark = pytest.mark.sqlite_only


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST" if body else "GET", path, body)
    reply = connection.getresponse()
    return reply.status, reply.read()


def test_a_request_that_was_begun_is_answered_although_the_listener_stops():
    begun, may_end = threading.Event(), threading.Event()

    def slow(environ, start):
        begun.set()
        may_end.wait(20)
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"done"]

    port = free_port()
    listener = Listener(slow, Listen("127.0.0.1", port), 2)
    listener.start()
    answers: list[tuple[int, bytes]] = []
    asking = threading.Thread(target=lambda: answers.append(ask(port, "/")))
    asking.start()
    assert begun.wait(20)
    stopping = threading.Thread(target=listener.stop, args=(20.0,))
    stopping.start()
    stopping.join(0.2)
    assert stopping.is_alive(), "it did not wait for the request"
    may_end.set()
    asking.join(20)
    stopping.join(20)
    assert answers == [(200, b"done")]
    with pytest.raises(OSError):
        ask(port, "/")


def test_a_client_that_keeps_its_connection_does_not_hold_up_the_end():
    def quick(environ, start):
        start("200 OK", [])
        return [b"x"]

    port = free_port()
    listener = Listener(quick, Listen("127.0.0.1", port), 1)
    listener.start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"x"
    stopping = threading.Thread(target=listener.stop, args=(20.0,))
    stopping.start()
    stopping.join(5)
    assert not stopping.is_alive()
    connection.close()


def test_an_application_sees_the_path_decoded_and_the_whole_body():
    seen = {}

    def show(environ, start):
        seen.update(environ, body=environ["wsgi.input"].read())
        start("200 OK", [])
        return [b""]

    port = free_port()
    listener = Listener(show, Listen("127.0.0.1", port), 1)
    listener.start()
    assert ask(port, "/a%20b%2Fc?x=%41", b"y" * 300_000)[0] == 200
    listener.stop(20)
    assert (seen["PATH_INFO"], seen["QUERY_STRING"], seen["REMOTE_ADDR"]) == ("/a b/c", "x=%41", "127.0.0.1")
    assert seen["body"] == b"y" * 300_000


def test_an_address_that_is_taken_is_told():
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(RuntimeError, match=r"cannot listen on 127\.0\.0\.1"),
    ):
        Listener(lambda environ, start: [], Listen("127.0.0.1", other.getsockname()[1]), 1)


@pytest.mark.django_db(transaction=True)
def test_a_process_that_fails_when_it_could_begin_ends(settings):
    """As one whose supervisor was killed at that moment: nobody reads that it is ready."""
    web = dataclasses.replace(settings.POSTROAD.web, listen=Listen("127.0.0.1", free_port()))
    rest = dataclasses.replace(settings.POSTROAD.rest, listen=Listen("127.0.0.1", free_port()))
    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, web=web, rest=rest)

    def fail():
        raise BrokenPipeError

    def run():
        with contextlib.suppress(BrokenPipeError):
            asyncio.run(serve(fail, asyncio.Event()))

    process = threading.Thread(target=run, daemon=True)
    process.start()
    process.join(20)
    assert not process.is_alive()
