"""A resource of REST as a Django view: methods by name, the site's credential, errors from the one table."""

import base64
import binascii
import hmac
import logging
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from postroad.foundation.configuration import current
from postroad.foundation.errors import PostroadError, answer_for
from postroad.foundation.rest.resource import failure

log = logging.getLogger("postroad.rest")

Method = Callable[..., HttpResponse]


def endpoint(**methods: Method) -> Callable[..., HttpResponse]:
    """A view that answers these methods: `endpoint(get=show, post=make)`.

    Everything but reading runs in one transaction, which a refusal undoes.
    """
    allowed = sorted(name.upper() for name in methods)

    def view(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not _is_signed_in(request):
            return failure(401, "REST API authorization failed: give the user and password of [rest] in postroad.toml.")
        if request.method == "OPTIONS":
            return HttpResponse(status=200, headers={"Allow": ", ".join(allowed)})
        method = methods.get(str(request.method).lower())
        if method is None:
            response = failure(405)
            response["Allow"] = ", ".join(allowed)
            return response
        return _answer(method, request, arguments)

    view.allowed_methods = allowed  # type: ignore[attr-defined]
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def _answer(method: Method, request: HttpRequest, arguments: dict[str, Any]) -> HttpResponse:
    try:
        if request.method == "GET":
            return method(request, **arguments)
        with transaction.atomic():
            return method(request, **arguments)
    except PostroadError as error:
        return failure(answer_for(error).http, str(error))
    except Exception as error:
        log.exception("%s %s", request.method, request.path_info)
        return failure(answer_for(error).http)


def _is_signed_in(request: HttpRequest) -> bool:
    """Whether the request carries the site's REST credential (RFC 7617), compared in constant time."""
    scheme, _, encoded = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    rest = current().rest
    same_user = hmac.compare_digest(user.encode(), rest.user.encode())
    same_password = hmac.compare_digest(password.encode(), rest.password.encode())
    return bool(rest.password) and same_user and same_password
