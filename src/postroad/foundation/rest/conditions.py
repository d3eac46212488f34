"""Conditions of a call (RFC 9110 §13): nothing changed meanwhile is overwritten, nothing known is sent again."""

from collections.abc import Callable

from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse

from postroad.foundation.errors import Stale
from postroad.foundation.rest.resource import not_modified

_NOT_SERIALIZABLE = "40001"


def is_conditional(request: HttpRequest) -> bool:
    """Whether what the call may do depends on the resource being the one the client saw."""
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def stand_still() -> None:
    """Let the transaction that has just begun see one state, and fail where another one changed the same rows since.

    On SQLite writers wait for each other anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def was_overtaken(error: OperationalError) -> bool:
    """Whether a transaction that stood still failed since another one changed the same rows."""
    return getattr(error.__cause__, "sqlstate", None) == _NOT_SERIALIZABLE


def refuse_stale(request: HttpRequest, tag: Callable[[], str]) -> None:
    """See that a write is one of the resource the client saw; `tag` shows the resource for its tag.

    Raises:
        Stale: it is another one (If-Match), or there is one and there should be none (If-None-Match).
    """
    wanted, unwanted = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if wanted is None and unwanted is None:
        return
    now = tag()
    if wanted is not None and not _names(wanted, now):
        raise Stale("The resource was changed since it was read (If-Match); read it again.")
    if unwanted is not None and _names_weakly(unwanted, now):
        raise Stale("The resource is there, and as the call says it must not be (If-None-Match).")


def unless_known(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """What a reading call is answered: 304 when the client says that it has the same already.

    Raises:
        Stale: the client wants this very state (If-Match), and it is another one.
    """
    tag = response.headers.get("ETag")
    if tag is None or request.method != "GET":
        return response
    wanted, known = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if wanted is not None and not _names(wanted, tag):
        raise Stale("The resource was changed since it was read (If-Match); read it again.")
    return not_modified(tag) if known is not None and _names_weakly(known, tag) else response


def _names(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in [part.strip() for part in header.split(",")]


def _names_weakly(header: str, tag: str) -> bool:
    """The same for If-None-Match (§8.8.3.2): a proxy that packs an answer makes its tag a weak one."""
    return _names(header.replace("W/", ""), tag)
