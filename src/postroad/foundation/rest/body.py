"""Reads the bodies of requests: forms and JSON, checked against what a resource takes, all errors at once."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from django.http import HttpRequest, QueryDict

from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import is_valid_email

Converter = Callable[[Any], Any]
T = TypeVar("T")

_TRUE = frozenset({"true", "yes", "1", "on", "enable", "enabled"})
_FALSE = frozenset({"false", "no", "0", "off", "disable", "disabled"})


class Missing:
    """Marks a field that was not given, where null is a value."""


def given(request: HttpRequest) -> dict[str, Any]:
    """What the request says, as one dictionary: JSON, or form and query together; a repeated key is a list.

    Raises:
        BadInput: the body is no JSON object.
    """
    if (request.content_type or "").startswith("application/json"):
        try:
            body = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"Invalid JSON: {error}") from None
        if not isinstance(body, dict):
            raise BadInput("Invalid JSON: the body must be an object.")
        return body
    merged: dict[str, Any] = {}
    form = request.POST if request.method == "POST" else QueryDict(request.body, encoding="utf-8")
    for source in (request.GET, form):
        for key, values in source.lists():
            whole = [*_as_list(merged.get(key)), *values] if key in merged else values
            merged[key] = whole[0] if len(whole) == 1 else whole
    return merged


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def read(
    request: HttpRequest,
    required: Mapping[str, Converter] | None = None,
    optional: Mapping[str, Converter] | None = None,
) -> dict[str, Any]:
    """The fields of a request, converted; optional ones only when they were given.

    Raises:
        BadInput: unknown, wrong or missing fields, in Mailman's wording of which is which.
    """
    return check(given(request), required or {}, optional or {})


def check(
    values: Mapping[str, Any], required: Mapping[str, Converter], optional: Mapping[str, Converter]
) -> dict[str, Any]:
    """The same for values that are read already."""
    unknown = sorted(set(values) - set(required) - set(optional))
    if unknown:
        raise BadInput(f"Unexpected parameters: {', '.join(unknown)}")
    converted: dict[str, Any] = {}
    wrong = []
    for name, value in sorted(values.items()):
        try:
            converted[name] = (required.get(name) or optional[name])(value)
        except (ValueError, TypeError, BadInput) as error:
            wrong.append(f'Invalid Parameter "{name}": {str(error).rstrip(".")}.')
    if wrong:
        raise BadInput(" ".join(wrong))
    missing = sorted(set(required) - set(values))
    if missing:
        raise BadInput(f"Missing Parameter: {', '.join(missing)}")
    return converted


def text(value: Any) -> str:
    """Any text; a JSON null is the text `None`, as with Mailman."""
    if isinstance(value, list):
        raise ValueError("given more than once")  # noqa: TRY004 — told to a client, not to a programmer
    return str(value)


def boolean(value: Any) -> bool:
    """A truth value in any of Mailman's spellings."""
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"Invalid boolean value: {value}")


def integer(value: Any) -> int:
    """A whole number."""
    if isinstance(value, bool):
        raise ValueError(f"Invalid integer: {value}")  # noqa: TRY004
    return int(value)


def email(value: Any) -> str:
    """One valid mail address."""
    if not isinstance(value, str) or not is_valid_email(value):
        raise ValueError(f"Invalid email address: {value}")
    return value


def emails(value: Any) -> list[str]:
    """Valid mail addresses, one or several."""
    return [email(item) for item in _as_list(value)]


def texts(value: Any) -> list[str]:
    """Texts, one or several; an empty one is none."""
    return [] if value == "" else [str(item) for item in _as_list(value)]


def choice(*allowed: str, blank: bool = False) -> Converter:
    """One of these words; with `blank`, an empty one means none."""

    def convert(value: Any) -> str | None:
        if blank and value in ("", None):
            return None
        if value not in allowed:
            raise ValueError(f"Accepted Values are: {', '.join(allowed)}")
        return str(value)

    return convert


def subscriber(uuid: Callable[[str], UUID | None]) -> Converter:
    """A user's UUID or a mail address."""

    def convert(value: Any) -> UUID | str:
        found = uuid(str(value)) if "@" not in str(value) else None
        return found or email(value)

    return convert
