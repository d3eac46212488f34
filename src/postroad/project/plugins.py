"""Plugins: packages that name an object in the group `postroad.plugins` of their entry points.

What its attribute `resource` holds, a WSGI application (PEP 3333), answers below `/plugins/{name}/`, behind the site's
credential and in the call's transaction.
"""

import functools
import io
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from django.http import HttpRequest, HttpResponse

from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import Operation, shows
from postroad.foundation.rest.resource import found, paged, version_of
from postroad.foundation.rest.shapes import TEXT, TRUTH, Shape, many

GROUP = "postroad.plugins"
PLUGIN = Shape("Plugin", {"class": TEXT, "name": TEXT, "enabled": TRUTH})
ANSWER = Shape("PluginAnswer", {}, frozenset({"http_etag"}), open=True)
METHODS = ("get", "post", "put", "patch", "delete")


def installed() -> list[EntryPoint]:
    """The plugins of this installation, by name."""
    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


@functools.cache
def _resource(name: str) -> Callable[..., Iterable[bytes]] | None:
    """What a plugin answers with; a class is made into one object, once."""
    point = next((point for point in installed() if point.name == name), None)
    if point is None:
        return None
    loaded = point.load()
    return getattr(loaded() if isinstance(loaded, type) else loaded, "resource", None)


def _show(request: HttpRequest) -> HttpResponse:
    """The plugins that are installed."""
    return paged(request, installed(), lambda point: {"name": point.name, "class": point.value, "enabled": True})


def _ask(request: HttpRequest, rest: str) -> HttpResponse:
    """Whatever the plugin of this name answers."""
    name, _, path = rest.partition("/")
    application = found(_resource(name))
    environ = {
        **{key: value for key, value in request.META.items() if key != "HTTP_AUTHORIZATION"},
        "SCRIPT_NAME": f"/{version_of(request)}/plugins/{name}",
        "PATH_INFO": f"/{path}".encode().decode("latin-1"),
        "wsgi.input": io.BytesIO(request.body),
    }
    answer: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        answer.update(status=int(status.split(maxsplit=1)[0]), headers=dict(headers))

    body = b"".join(application(environ, start))
    return HttpResponse(body, **answer)


plugins = endpoint(get=shows(_show, many(PLUGIN), paged=True))
plugin = endpoint({method: Operation(_ask, status=404, other={200: ANSWER, 204: "done"}) for method in METHODS})
