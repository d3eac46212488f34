"""Reads what a request says: a form with its query, or JSON; checked against declared fields, all errors at once."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from django.http import HttpRequest

from postroad.foundation.errors import BadInput
from postroad.foundation.rest.fields import Field, InvalidJson, as_list

Values = dict[str, Any]

MOST_FIELDS = 200_000
"""Mass subscription and roster removal come as one form."""
_FORMS = ("", "application/x-www-form-urlencoded", "text/plain")
# Seen in practice: scripts that send a form with no type at all, or with their HTTP library's default of plain text.


def given(request: HttpRequest) -> Values:
    """What the request says, as one dictionary: JSON, or form and query together.

    A key that is repeated, in the form or in the query, is a list.

    Raises:
        BadInput: the body is no JSON object, no form, or not in UTF-8.
    """
    kept: Values | None = getattr(request, "_given", None)
    if kept is None:
        kept = _given(request)
        request._given = kept  # type: ignore[attr-defined]
    return dict(kept)


def _given(request: HttpRequest) -> Values:
    content_type = request.content_type or ""
    if content_type.startswith("application/json"):
        return _json(request.body)
    if request.body and content_type not in _FORMS:
        raise BadInput(f"Send application/x-www-form-urlencoded or application/json, not {content_type}.")
    # Seen in practice: Postorius asks for members with the same fields in query and form; the form's count then.
    return {**_merged(_pairs(request.META.get("QUERY_STRING", "").encode("latin-1"))), **_merged(_pairs(request.body))}


def _merged(pairs: list[tuple[str, str]]) -> Values:
    merged: Values = {}
    for name, value in pairs:
        merged[name] = [*as_list(merged[name]), value] if name in merged else value
    return merged


def _json(data: bytes) -> Values:
    try:
        body = msgspec.json.decode(data)
        json.loads(data, object_pairs_hook=_refuse_doubled)  # msgspec takes the last.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidJson(f"Invalid JSON: {error}") from None
    if not isinstance(body, dict):
        raise InvalidJson("Invalid JSON: the body must be an object.")
    return body


def _refuse_doubled(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise InvalidJson(f"Invalid JSON: {name} is given more than once.")
        seen.add(name)


def _pairs(data: bytes) -> list[tuple[str, str]]:
    if not data:
        return []
    try:
        return parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise BadInput("Fields and values must be UTF-8.") from None
    except ValueError:
        raise BadInput(f"More than {MOST_FIELDS} fields.") from None


def read(
    request: HttpRequest, required: Mapping[str, Field] | None = None, optional: Mapping[str, Field] | None = None
) -> Values:
    """The fields of a request, converted; optional ones only when they were given.

    Raises:
        BadInput: unknown, wrong or missing fields, in Mailman's wording of which is which.
    """
    return check(given(request), required or {}, optional or {})


def check(
    values: Mapping[str, Any],
    required: Mapping[str, Field],
    optional: Mapping[str, Field],
    *,
    unknown: str = "Unexpected parameters",
) -> Values:
    """The same for values that are read already; `unknown` is what fields are called that are not taken."""
    strange = sorted(set(values) - set(required) - set(optional))
    if strange:
        raise BadInput(f"{unknown}: {', '.join(strange)}")
    converted: Values = {}
    wrong = []
    for name, value in sorted(values.items()):
        field = required[name] if name in required else optional[name]
        try:
            converted[name] = field(value)
        except (ValueError, TypeError, BadInput) as error:
            wrong.append(f'Invalid Parameter "{name}": {str(error).rstrip(".")}.')
    if wrong:
        raise BadInput(" ".join(wrong))
    missing = sorted(set(required) - set(values))
    if missing:
        raise BadInput(f"Missing Parameter: {', '.join(missing)}")
    return converted
