"""How REST looks on the wire: bodies, tags, collections and errors, as Mailman's clients expect them."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse

from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.rest.body import given
from postroad.foundation.rest.fields import InvalidParameter, as_list

Json = dict[str, Any]
T = TypeVar("T")

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}


def moment(value: datetime | float | str) -> str:
    """A moment as ISO 8601 in UTC, without zone, as Mailman writes them; microseconds only when there are any.

    A number is seconds since 1970, a text is how SQLite keeps a moment.
    """
    if isinstance(value, str):
        return value.replace(" ", "T")
    if not isinstance(value, datetime):
        value = datetime.fromtimestamp(value, UTC)
    return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()


_encoder = msgspec.json.Encoder()
_RAW = msgspec.Raw


def _tagged(resource: Json) -> tuple[bytes, str]:
    """The resource as JSON with its `http_etag`, and the tag: a quoted SHA-1 of the rest."""
    data = _encoder.encode(resource)
    tag = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    begin = b',"http_etag":"\\"' if resource else b'"http_etag":"\\"'
    return b"".join((data[:-1], begin, tag.encode(), b'\\""}')), f'"{tag}"'


def ok(resource: Json, status: int = 200) -> HttpResponse:
    """A resource as the answer."""
    body, tag = _tagged(resource)
    return HttpResponse(body, status=status, content_type="application/json", headers={"ETag": tag})


def not_modified(tag: str) -> HttpResponse:
    """304: the client has it already (RFC 9110 §15.4.5)."""
    response = HttpResponse(status=304, headers={"ETag": tag})
    del response["Content-Type"]
    return response


def again(response: HttpResponse) -> HttpResponse:
    """The same answer for another client."""
    return HttpResponse(response.content, status=response.status_code, headers=dict(response.headers))


def created(request: HttpRequest, path: str) -> HttpResponse:
    """201 with the place of what was made, `path` without the version."""
    return created_at(link(request, path))


def created_at(place: str) -> HttpResponse:
    """201 with the absolute address of what was made."""
    return nothing(201, Location=place)


def done() -> HttpResponse:
    """204: it is done, there is nothing to say."""
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response


def nothing(status: int, **headers: str) -> HttpResponse:
    """An answer without a body, of the type that bodies have here."""
    return HttpResponse(status=status, content_type="application/json", headers=headers)


def failure(status: int, description: str | None = None, title: str | None = None) -> HttpResponse:
    """An error body: title, the status in words unless another is given, and the reason where there is one."""
    title = title or f"{status} {_REASONS.get(status, 'Error')}"
    body = {"title": title} if description is None else {"title": title, "description": description}
    response = HttpResponse(_encoder.encode(body), status=status, content_type="application/json; charset=UTF-8")
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="mailman3-rest",charset="utf-8"'
    return response


def found(row: T | None) -> T:
    """What was looked for.

    Raises:
        NotFound: there is none, in Mailman's words.
    """
    if row is None:
        raise NotFound("404 Not Found")
    return row


def version_of(request: HttpRequest) -> str:
    """`3.0` or `3.1`, from the address."""
    return request.path_info[1:4]


def link(request: HttpRequest, path: str) -> str:
    """The absolute address of a resource, made from the configuration, never from the Host header."""
    return f"http://{current().rest.listen}/{version_of(request)}/{escaped(path.lstrip('/'))}"


_IN_A_PATH = "/:@!$&'()*+,;="
_NOT_IN_A_PATH = re.compile(f"[^-.~\\w{_IN_A_PATH}]", re.ASCII)


def escaped(path: str) -> str:
    """The path with everything percent-encoded that cannot stand in one (RFC 3986 §3.3); most have nothing such."""
    return quote(path, safe=_IN_A_PATH) if _NOT_IN_A_PATH.search(path) else path


def uuid_out(request: HttpRequest, value: UUID) -> str | int:
    """A UUID in the form of the API's version: hexadecimal in 3.1, a number in 3.0."""
    return value.int if version_of(request) == "3.0" else value.hex


def uuid_in(request: HttpRequest, text: str) -> UUID | None:
    """The UUID a client means, or None."""
    try:
        return UUID(int=int(text)) if version_of(request) == "3.0" else UUID(text)
    except (ValueError, OverflowError):
        return None


Page = tuple[int, int | None]
"""Index of the first entry, and how many; None means all."""

_FARTHEST = 2**53


def page_of(request: HttpRequest) -> Page:
    """What `count` and `page` ask for.

    Raises:
        BadInput: one of them without the other, or out of range.
    """
    values = given(request)
    if "count" not in values and "page" not in values:
        return 0, None
    try:
        count, page = int(values["count"]), int(values["page"])
    except KeyError as error:
        raise InvalidParameter(f"count and page are given together; {error.args[0]} is missing.") from None
    except (ValueError, TypeError):
        raise InvalidParameter("count and page are whole numbers.") from None
    if count < 0 or page < 1 or page * count > _FARTHEST:
        raise InvalidParameter("count is 0 or more, page is 1 or more.")
    return (page - 1) * count, count


def collection(entries: Sequence[Json], start: int, total: int, **more: Any) -> HttpResponse:
    """A page of a collection; the key `entries` is absent when there are none."""
    body: Json = {"start": start, "total_size": total, **more}
    if entries:
        body["entries"] = [_RAW(_tagged(entry)[0]) for entry in entries]
    return ok(body)


def paged(
    request: HttpRequest,
    rows: Any,
    render: Callable[[Any], Json],
    total: Callable[[], int] | None = None,
    *,
    fetched: Callable[[Sequence[Any]], None] | None = None,
    **more: Any,
) -> HttpResponse:
    """A collection of a QuerySet or list, cut to the page asked for; `fetched` gets the page before it is rendered."""
    start, count = page_of(request)
    page = list(rows if count is None else rows[start : start + count])
    if count is None or (len(page) < count and (page or not start)):
        size = start + len(page)
    else:
        size = total() if total else (rows.count() if hasattr(rows, "query") else len(rows))
    if fetched is not None:
        fetched(page)
    return collection([render(row) for row in page], start, size, **more)


def without_nulls(resource: Mapping[str, Any]) -> Json:
    """The resource without the keys that have no value, where Mailman leaves them out."""
    return {key: value for key, value in resource.items() if value is not None}


def without_label(password_hash: str) -> str:
    """The hash as others write it, without Django's label before the standard's `$argon2id$`."""
    return password_hash.removeprefix("argon2")


def fields_asked(request: HttpRequest, allowed: Iterable[str]) -> frozenset[str] | None:
    """The keys a client wants to see of each member; None means all.

    Raises:
        BadInput: a name that no member has.
    """
    asked = [str(name) for name in as_list(given(request).get("fields", []))]
    if not asked:
        return None
    known = set(allowed)
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise BadInput(f"Unknown fields: {', '.join(unknown)}. Allowed are: {', '.join(sorted(known))}")
    return frozenset(asked)
