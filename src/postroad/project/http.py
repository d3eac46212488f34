"""The pages and the REST API in one process: two listeners, each with its own way into Django."""

import asyncio
import io
import logging
import threading
import time
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse

from postroad.foundation.configuration import current
from postroad.foundation.queue.actions import PAUSE_NOTICED_SECONDS, paused_until
from postroad.foundation.rest.audit import Writer
from postroad.foundation.rest.resource import failure
from postroad.project.listener import Listener

log = logging.getLogger("postroad.http")

GRACE_SECONDS = 10.0
"""Requests that were begun have so long when the site is stopped."""
TRUSTED_SECONDS = 1.0
"""A database connection that was used so recently is not tried out before it is used again."""


class PageHandler:
    """Django with every middleware, for people."""

    def __init__(self) -> None:
        """Load the middleware."""
        for signal in (request_started, request_finished):  # We look after connections, and try them out less often.
            signal.disconnect(close_old_connections)
        self.django = WSGIHandler()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request; what is not streamed leaves in one piece."""
        if _must_wait(environ):
            start("503 Service Unavailable", _LATER)
            return [b"An upgrade runs; please try again in a moment.\n"]
        _look_after_connection()
        _trust_proxy(environ)
        _measure(environ)
        response = self.django(environ, start)
        if not isinstance(response, HttpResponse):
            return response
        body = response.content
        response.close()
        return [body]


class RestHandler:
    """REST without middleware and without Django's resolver: no session, language or messages stand before a view."""

    def __init__(self) -> None:
        """What is wrong with the addresses shows at the start."""
        from postroad.project.rest_urls import ROUTES

        self.routes = ROUTES

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if _must_wait(environ):
            response: HttpResponse = failure(503, "An upgrade runs; please try again in a moment.")
            response["Retry-After"] = "5"
        else:
            _look_after_connection()
            _trust_proxy(environ)
            _measure(environ)
            response = self.get_response(WSGIRequest(environ))
        start(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]

    def get_response(self, request: HttpRequest) -> HttpResponse:
        """The answer of the view behind the request's address."""
        try:
            view, arguments = self.routes.find(request.path_info)
            return view(request, **arguments) if view else failure(404)
        except Exception:
            log.exception("%s %s", request.method, request.path_info)
            return failure(500)


_LATER = [("Content-Type", "text/plain"), ("Retry-After", "5")]
_looked_at, _rests = 0.0, False


def _must_wait(environ: WSGIEnvironment) -> bool:
    """Whether this may change something and nothing may be changed just now, since an upgrade runs.

    Asked of the database a few times a second at most.
    """
    global _looked_at, _rests
    if environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS"):
        return False
    if time.monotonic() - _looked_at > PAUSE_NOTICED_SECONDS:
        _rests = paused_until() is not None
        _looked_at = time.monotonic()
    return _rests


def _trust_proxy(environ: WSGIEnvironment) -> None:
    """Who really calls, and how, when a proxy of ours stands before us."""
    if current().web.trust_forwarded:
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        environ["REMOTE_ADDR"] = forwarded or environ["REMOTE_ADDR"]
        environ["wsgi.url_scheme"] = environ.get("HTTP_X_FORWARDED_PROTO", environ["wsgi.url_scheme"])


def _measure(environ: WSGIEnvironment) -> None:
    """Give a body that came in pieces (RFC 9112 §7.1) its length, which Django asks for.

    Of one that is too long no more is read than shows that it is.
    """
    if environ.get("CONTENT_LENGTH") or not environ.get("HTTP_TRANSFER_ENCODING"):
        return
    body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))


_last_use = threading.local()


def _look_after_connection() -> None:
    """Drop this thread's connection if it is broken; after a rest it is tried out, which costs a round trip."""
    now = time.monotonic()
    if connection.errors_occurred or now - getattr(_last_use, "at", 0.0) > TRUSTED_SECONDS:
        connection.close_if_unusable_or_obsolete()
    _last_use.at = now


async def serve(ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Serve pages and REST until `stop` is set; `ready` is called when both listen.

    Raises:
        RuntimeError: an address is taken, or a listener ended by itself.
    """
    configuration = current()
    threads = configuration.web.threads
    listeners = [
        Listener(PageHandler(), configuration.web.listen, threads),
        Listener(RestHandler(), configuration.rest.listen, threads),
    ]
    audit = Writer()
    audit.start()
    try:
        for listener in listeners:
            await asyncio.to_thread(listener.start)
        ended = [asyncio.create_task(asyncio.to_thread(listener.wait)) for listener in listeners]
        ready()
        waiter = asyncio.create_task(stop.wait())
        await asyncio.wait([waiter, *ended], return_when=asyncio.FIRST_COMPLETED)
    finally:  # Else the threads that wait for them would keep a process that failed.
        for listener in listeners:
            await asyncio.to_thread(listener.stop, GRACE_SECONDS)
        audit.stop()
    if not stop.is_set():
        raise RuntimeError("a listener of the web ended")
