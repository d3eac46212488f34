"""A resource of REST as a Django view: methods by name, the caller's rights, one transaction, errors from one table."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse

from postroad.foundation.errors import NotAllowed, PostroadError, StorageFull, answer_for
from postroad.foundation.queue.gathering import gathering
from postroad.foundation.rest.audit import note_call, note_refused
from postroad.foundation.rest.body import check, given
from postroad.foundation.rest.callers import NOBODY, Caller, who_calls
from postroad.foundation.rest.conditions import is_conditional, refuse_stale, stand_still, unless_known, was_overtaken
from postroad.foundation.rest.operation import Operation, Right, View
from postroad.foundation.rest.resource import failure, nothing
from postroad.foundation.storage.trouble import meaning

log = logging.getLogger("postroad.rest")

Concerns = Callable[[HttpRequest, dict[str, Any]], str | None]
"""The list-id (or posting address) a call is about, when it does not stand in the address."""


def list_in_path(request: HttpRequest, arguments: dict[str, Any]) -> str | None:
    """The list that stands in the address, if one does."""
    return arguments.get("list_id")


@dataclass(frozen=True)
class Endpoint:
    """What one address answers, by method; `project/rest_urls.py` says who may."""

    operations: dict[str, Operation]
    concerns: Concerns = list_in_path
    reading: Right = "site"
    writing: Right = "site"
    csrf_exempt = True

    def allowing(self, reading: Right, writing: Right | None = None) -> "Endpoint":
        """The same for callers with these rights; without `writing`, that is the site's."""
        return replace(self, reading=reading, writing=writing or "site")

    @property
    def methods(self) -> list[str]:
        """The methods it answers, sorted."""
        return sorted(name.upper() for name in self.operations)

    def right_for(self, method: str) -> Right:
        """What a caller needs for this method."""
        return self.reading if method.upper() in ("GET", "OPTIONS") else self.writing

    def __call__(self, request: HttpRequest, **arguments: Any) -> HttpResponse:
        """Answer a request."""
        caller = who_calls(request)
        if caller is None:
            note_refused(NOBODY, request)
            text = "REST API authorization failed: give the user and password of [rest] in postroad.toml, or a token."
            return failure(401, text)
        method = str(request.method).lower()
        if method == "options":
            return nothing(200, Allow=", ".join(self.methods))
        operation = self.operations.get(method)
        if operation is None:
            note_call(caller, request, arguments, 405)
            response = failure(405)
            response["Allow"] = ", ".join([*self.methods, "OPTIONS"])
            return response
        return self._answer(caller, operation, request, arguments)

    def _answer(
        self, caller: Caller, operation: Operation, request: HttpRequest, arguments: dict[str, Any]
    ) -> HttpResponse:
        """Call the view, a writing one in a transaction that a refusal undoes; errors become answers."""
        try:
            if request.method == "GET" or operation.asks:
                response = unless_known(request, self._call(caller, operation, request, arguments))
                note_call(caller, request, arguments, response.status_code)
                return response
            whole = not connection.in_atomic_block
            with transaction.atomic(), gathering():
                if whole and is_conditional(request):
                    stand_still()
                response = self._call(caller, operation, request, arguments)
                note_call(caller, request, arguments, response.status_code)
                return response
        except PostroadError as error:
            response = failure(answer_for(error).http, str(error), getattr(error, "title", None))
        except RequestDataTooBig:
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            response = failure(413, f"A body has at most {most:,} octets; send less at a time.")
        except IntegrityError:
            response = failure(409, "Somebody else made or changed the same at this moment; look and try again.")
        except DataError:
            response = failure(400, "A value is longer or larger than can be kept.")
        except OperationalError as error:
            response = _trouble(request, error)
        except Exception as error:
            log.exception("%s %s", request.method, request.path_info)
            response = failure(answer_for(error).http)
        note_call(caller, request, arguments, response.status_code)
        return response

    def _call(
        self, caller: Caller, operation: Operation, request: HttpRequest, arguments: dict[str, Any]
    ) -> HttpResponse:
        if any("\0" in str(value) for value in arguments.values()):
            return failure(404, "404 Not Found")
        self._refuse_unless_allowed(caller, request, arguments)
        self._refuse_stale(request, arguments)
        if operation.takes_values:
            values = check(given(request), operation.required, operation.optional, unknown=operation.unknown)
            return operation.view(request, values, **arguments)
        return operation.view(request, **arguments)

    def _refuse_unless_allowed(self, caller: Caller, request: HttpRequest, arguments: dict[str, Any]) -> None:
        if caller.is_site:
            return
        right = self.right_for(str(request.method))
        if not caller.may(right, self.concerns(request, arguments)):
            raise NotAllowed(f"This credential does not have the right to {right} here.")

    def _refuse_stale(self, request: HttpRequest, arguments: dict[str, Any]) -> None:
        """A write with a condition goes on only when what would be shown is what the client saw."""
        shown = self.operations.get("get")
        if request.method != "GET" and shown is not None and not shown.takes_values:
            refuse_stale(request, lambda: shown.view(request, **arguments).headers.get("ETag", ""))


def _trouble(request: HttpRequest, error: OperationalError) -> HttpResponse:
    """What is answered when the database would not do it."""
    if was_overtaken(error):
        return failure(412, "Somebody else changed the same at this moment; read it again.")
    log.error("%s %s: %s", request.method, request.path_info, error)
    told = meaning(error)
    text = str(told) if isinstance(told, StorageFull) else "The database is busy or away; try again."
    return failure(answer_for(told).http, text)


def endpoint(
    also: Mapping[str, Operation] | None = None, /, *, concerns: Concerns = list_in_path, **methods: Operation | View
) -> Endpoint:
    """An address that answers these methods: `endpoint(changes(…), get=shows(…), delete=takes(…))`."""
    operations = {name: m if isinstance(m, Operation) else Operation(m) for name, m in methods.items()}
    return Endpoint({**operations, **(also or {})}, concerns)
