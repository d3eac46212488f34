"""The pages and the REST API in one process: two listeners of Granian on one event loop, Django in threads.

Granian speaks RSGI to us; what Django needs of WSGI is made here, so that two addresses need no second process.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core import signals
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_resolver, set_script_prefix
from granian.constants import Interfaces
from granian.server.embed import Server

from postroad.foundation.configuration import current
from postroad.foundation.queue.actions import paused_until
from postroad.foundation.rest.audit import Writer
from postroad.foundation.sections import Listen

log = logging.getLogger("postroad.http")

REST_URLS = "postroad.project.rest_urls"


class PageHandler(WSGIHandler):
    """Django with every middleware, for people."""


class RestHandler(WSGIHandler):
    """Django with none of them: no session, no language, no messages; a request of REST is cheap."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Nothing stands between the request and the view; what is wrong with the addresses shows at the start."""
        _ = get_resolver(REST_URLS).url_patterns
        self._template_response_middleware: list[Any] = []
        self._view_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain: Callable[[Any], Any] = convert_exception_to_response(self._route)

    def _route(self, request: HttpRequest) -> HttpResponseBase:
        request.urlconf = REST_URLS
        # Django's own step behind the middleware; its stubs do not know it.
        answer: HttpResponseBase = self._get_response(request)  # type: ignore[attr-defined]
        return answer


class Bridge:
    """One listener's application: RSGI in, Django in a thread, RSGI out."""

    def __init__(self, handler: WSGIHandler, listen: Listen, threads: ThreadPoolExecutor) -> None:
        self.handler = handler
        self.listen = listen
        self.threads = threads

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        """Answer one request."""
        body = await proto() if scope.method not in ("GET", "HEAD", "OPTIONS") else b""
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self.threads, self._answer, self._environ(scope, body))
        headers = [*((k.lower(), v) for k, v in response.items())]
        headers += [("set-cookie", morsel.OutputString()) for morsel in response.cookies.values()]
        if isinstance(response, HttpResponse):
            proto.response_bytes(response.status_code, headers, response.content)
        else:
            await self._stream(proto, response, headers)
        # Closing may end the request's database connection, which belongs to a thread.
        await loop.run_in_executor(self.threads, response.close)

    async def _stream(self, proto: Any, response: HttpResponseBase, headers: list[tuple[str, str]]) -> None:
        assert isinstance(response, StreamingHttpResponse)
        loop = asyncio.get_running_loop()
        chunks = iter(response)
        transport = proto.response_stream(response.status_code, headers)
        while (chunk := await loop.run_in_executor(self.threads, _next, chunks)) is not None:
            await transport.send_bytes(chunk)

    def _answer(self, environ: dict[str, Any]) -> HttpResponseBase:
        set_script_prefix("")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "OPTIONS") and _site_rests():
            return HttpResponse("An upgrade runs; please try again in a moment.\n", "text/plain", 503, headers=_LATER)
        signals.request_started.send(sender=self.handler.__class__, environ=environ)
        return self.handler.get_response(WSGIRequest(environ))

    def _environ(self, scope: Any, body: bytes) -> dict[str, Any]:
        host, _, port = scope.server.rpartition(":")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": scope.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
            "QUERY_STRING": scope.query_string,
            "SERVER_NAME": host or self.listen.host,
            "SERVER_PORT": port or str(self.listen.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": scope.client.rpartition(":")[0],
            "wsgi.url_scheme": scope.scheme,
            "wsgi.input": BytesIO(body),
            "wsgi.errors": None,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in scope.headers.items():
            if name == "content-type":
                environ["CONTENT_TYPE"] = value
            elif name != "content-length":
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        if current().web.trust_forwarded:
            forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
            environ["REMOTE_ADDR"] = forwarded or environ["REMOTE_ADDR"]
            environ["wsgi.url_scheme"] = environ.get("HTTP_X_FORWARDED_PROTO", scope.scheme)
        return environ


_LATER = {"Retry-After": "5"}
_looked_at, _rests = 0.0, False


def _site_rests() -> bool:
    """Whether nothing may be changed just now since an upgrade runs; asked at most once a second."""
    global _looked_at, _rests
    if time.monotonic() - _looked_at > 1.0:
        _rests = paused_until() is not None
        _looked_at = time.monotonic()
    return _rests


def _next(chunks: Iterable[bytes]) -> bytes | None:
    return next(chunks, None)  # type: ignore[call-overload, no-any-return]


async def serve(ready: Callable[[], None], stop: asyncio.Event) -> None:
    """Serve pages and REST until `stop` is set; `ready` is called when both listen."""
    configuration = current()
    threads = ThreadPoolExecutor(configuration.web.threads, thread_name_prefix="http")
    servers = [
        Server(
            Bridge(handler, listen, threads), address=listen.host, port=listen.port, interface=Interfaces.RSGI,
            log_enabled=False, websockets=False,
        )
        for handler, listen in ((PageHandler(), configuration.web.listen), (RestHandler(), configuration.rest.listen))
    ]  # fmt: skip
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    audit = Writer()
    audit.start()
    await _listening([configuration.web.listen, configuration.rest.listen], tasks)
    ready()
    waiter = asyncio.create_task(stop.wait())
    await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait(tasks, timeout=10)
    for task in tasks:
        if task.done() and task.exception() is not None:
            raise RuntimeError("a listener of the web ended") from task.exception()
    threads.shutdown(wait=True, cancel_futures=True)
    audit.stop()


async def _listening(addresses: list[Listen], tasks: list["asyncio.Task[None]"]) -> None:
    """Return when every address takes connections.

    Raises:
        RuntimeError: a listener ended instead, for instance because its port is taken.
    """
    for address in addresses:
        while True:
            for task in tasks:
                if task.done():
                    raise RuntimeError(f"cannot listen on {address}") from task.exception()
            try:
                _, writer = await asyncio.open_connection(address.host, address.port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            break
