"""The kinds of fields a request can have: each converts one value, and says in JSON Schema what it takes.

Strings arrive from forms, typed values from JSON; both mean the same. What a column could not keep (NUL, half a
character, a number or text beyond bounds) is refused here, by name, before anything is written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import is_valid_email
from postroad.foundation.patterns import compile_pattern
from postroad.foundation.rest.shapes import Schema
from postroad.foundation.rows import NOT_KEPT

_TRUE = frozenset({"true", "yes", "1", "on", "enable", "enabled"})
_FALSE = frozenset({"false", "no", "0", "off", "disable", "disabled"})
_LARGEST = 2**53
"""JSON numbers beyond it lose digits."""
ONE_LINE: Schema = {"pattern": "^[^\\r\\n]*$"}
LONGEST_LINE = 255
LONGEST_ADDRESS = 2000
LONGEST_TEXT = 1_000_000
LONGEST_MAIL = 33_554_432


class InvalidParameter(BadInput):
    """A part of a collection that cannot be."""

    title = "Invalid parameter"


class InvalidJson(BadInput):
    """A body that says to be JSON."""

    title = "Invalid JSON"


@dataclass(frozen=True, slots=True)
class Field:
    """One kind of field: how a value is read, and what is allowed as JSON Schema."""

    convert: Callable[[Any], Any]
    schema: Schema

    def __call__(self, value: Any) -> Any:
        """The value as code reads it.

        Raises:
            BadInput, ValueError, TypeError: it is not allowed; the text says what is.
        """
        return self.convert(value)


def as_list(value: Any) -> list[Any]:
    """One or several values, as several."""
    return value if isinstance(value, list) else [value]


def one(value: Any) -> str:
    """A single text or number, as text.

    Raises:
        BadInput: null, a list, an object, NUL, or half a character.
    """
    if isinstance(value, list):
        raise BadInput("given more than once")
    if value is None or isinstance(value, dict):
        raise BadInput("a text is needed")
    text = str(value)
    if NOT_KEPT.search(text):
        raise BadInput("a text must not hold NUL or half a character")
    return text


def _bounded(longest: int, *, lines: bool) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        text = one(value)
        if len(text) > longest:
            raise BadInput(f"at most {longest} characters are allowed, these are {len(text)}")
        if not lines and ("\n" in text or "\r" in text):
            raise BadInput("must be on one line")
        return text

    return convert


text = Field(_bounded(LONGEST_TEXT, lines=True), {"type": "string", "maxLength": LONGEST_TEXT})
line = Field(_bounded(LONGEST_LINE, lines=False), {"type": "string", "maxLength": LONGEST_LINE, **ONE_LINE})
address = Field(_bounded(LONGEST_ADDRESS, lines=False), {"type": "string", "maxLength": LONGEST_ADDRESS, **ONE_LINE})
"""A URI or a queue's file, of any scheme; an empty one is one too."""
mail = Field(_bounded(LONGEST_MAIL, lines=True), {"type": "string"})


def _nullable(field: Field) -> Field:
    kind = field.schema["type"]
    return Field(lambda value: None if value is None else field(value), {**field.schema, "type": [kind, "null"]})


line_or_null = _nullable(line)
text_or_null = _nullable(text)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadInput(f"Invalid boolean value: {value}")


boolean = Field(_boolean, {"type": "boolean"})


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise BadInput(f"Invalid integer: {value}")
    try:
        number = int(one(value))
    except ValueError:
        raise BadInput(f"Invalid integer: {value}") from None
    if abs(number) > _LARGEST:
        raise BadInput(f"Invalid integer: {value} is beyond {_LARGEST}")
    return number


integer = Field(_integer, {"type": "integer", "minimum": -_LARGEST, "maximum": _LARGEST})


def _email(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_LINE or not is_valid_email(value):
        raise BadInput(f"Invalid email address: {value}")
    return value


email = Field(_email, {"type": "string", "format": "email", "maxLength": LONGEST_LINE})


def _several(field: Field) -> Field:
    schema = {"anyOf": [field.schema, {"type": "array", "items": field.schema}]}
    return Field(lambda value: [] if value == "" else [field(item) for item in as_list(value)], schema)


emails = _several(email)
lines = _several(line)


def _url(value: Any) -> str:
    address = line(value)
    parts = urlsplit(address)
    if not (parts.scheme in ("http", "https") and parts.netloc and parts.path):
        raise BadInput(f"Not an address such as https://lists.example.com/: {address}")
    return str(address)


url_or_null = Field(
    lambda value: None if value in (None, "") else _url(value),
    {"type": ["string", "null"], "format": "uri", "maxLength": LONGEST_LINE},
)


def _pattern(value: Any) -> str:
    pattern = address(value)
    compile_pattern(pattern)
    return str(pattern)


pattern = Field(_pattern, address.schema)


def choice(*allowed: str, blank: bool = False) -> Field:
    """One of these words; with `blank`, an empty one means none."""

    def convert(value: Any) -> str | None:
        if blank and value in ("", None):
            return None
        if not isinstance(value, str) or value not in allowed:
            raise BadInput(f"Accepted Values are: {', '.join(allowed)}")
        return value

    return Field(convert, {"enum": [*allowed, *(["", None] if blank else [])]})


_IDENTIFIER = re.compile(r"[-{}:0-9a-zA-Z]{1,64}")


def _subscriber(value: Any) -> str:
    who = one(value)
    return who if "@" not in who and _IDENTIFIER.fullmatch(who) else str(_email(who))


subscriber = Field(_subscriber, {"type": ["string", "integer"]})
"""A mail address, or a user's identifier in the form of the API's version."""
