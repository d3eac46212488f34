"""Setting values as they travel: forms, JSON and command lines in, JSON out (facts: REST 3.1 §3, §4).

`from_wire` makes typed values of what a client sent, `checked` looks at typed values again before they are
stored, `to_wire` shows them.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.contrib.auth.hashers import make_password

from postroad.community.lists.register import Kind, Setting
from postroad.foundation import durations
from postroad.foundation.errors import BadInput
from postroad.foundation.languages import LANGUAGES
from postroad.foundation.message.addresses import is_valid_email
from postroad.foundation.patterns import compile_pattern
from postroad.foundation.rest.fields import boolean
from postroad.foundation.rows import NOT_KEPT

T = TypeVar("T")

_LARGEST = 2**53
"""JSON numbers beyond it lose digits."""
LONGEST_TEXT = 1_000_000
"""Characters of one setting, all of its entries together: settings are read with their list, for every post."""


def from_wire(setting: Setting[T], value: object) -> T:
    """What a client sent for this setting, as code reads it; a password becomes its hash.

    Raises:
        BadInput: it is not allowed; the text says what is.
    """
    if value is None and setting.nullable:
        return None  # type: ignore[return-value]
    return _FROM_WIRE[setting.kind](setting, value)  # type: ignore[no-any-return]


def to_wire(setting: Setting[Any], value: Any) -> Any:
    """The value as JSON shows it: durations as `7d`, moments in UTC without zone, aliases sorted."""
    if value is None:
        return None
    if setting.kind == "duration":
        return durations.text_of(value)
    if setting.kind == "moment":
        return moment_text(value)
    if setting.kind == "aliases":
        return sorted(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    return value


def checked(setting: Setting[T], value: object) -> T:
    """A typed value, as it is stored.

    Raises:
        BadInput: it is of another type, or out of range.
    """
    match setting.kind:
        case "bool" if not isinstance(value, bool):
            raise BadInput(f"Not true or false: {value!r}")
        case "duration":
            return _number(setting, value)  # type: ignore[return-value]
        case "password" if value is None or isinstance(value, str):
            return value  # type: ignore[return-value]
    return from_wire(setting, value)


def bounded(value: T) -> T:
    """The typed value again.

    Raises:
        BadInput: it is longer than a setting may be made; one that was moved in stays as it is.
    """
    length = len(value) if isinstance(value, str) else sum(map(len, value)) if isinstance(value, list) else 0
    if length > LONGEST_TEXT:
        raise BadInput(f"at most {LONGEST_TEXT} characters are allowed, these are {length}")
    return value


def moment_text(moment: datetime) -> str:
    """A moment as REST writes it: ISO 8601, UTC, without zone."""
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()


def email_or_pattern(text: str) -> str:
    """A valid address, or a pattern that starts with `^`.

    Raises:
        BadInput: it is neither.
    """
    if text.startswith("^"):
        compile_pattern(text)
    elif not is_valid_email(text):
        raise BadInput(f"Invalid email address: {text}")
    return text


def _text(setting: Setting[Any], value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict):
        raise BadInput("Expected one text")
    text = value if isinstance(value, str) else str(value)
    if NOT_KEPT.search(text):
        raise BadInput("A text must not hold NUL or half a character")
    return text


def _line(setting: Setting[Any], value: object) -> str:
    text = _text(setting, value)
    if "\n" in text or "\r" in text:
        raise BadInput(f"Must be on one line: {text}")
    return text


def _integer(setting: Setting[Any], value: object) -> int:
    try:
        number = int(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1
    except (ValueError, OverflowError):
        number = -1
    if not 0 <= number <= _LARGEST:
        raise BadInput(f"Not a whole number, 0 or more: {value}")
    return number


def _number(setting: Setting[Any], value: object) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= _LARGEST:
        raise BadInput(f"Not a number, 0 or more: {value}")
    return number


def _choice(setting: Setting[Any], value: object) -> str:
    if not isinstance(value, str) or value not in setting.choices:
        raise BadInput(f"Accepted Values are: {', '.join(setting.choices)}")
    return value


def _strings(setting: Setting[Any], value: object) -> list[str]:
    if value in ("", None):
        return []
    items = list(value) if isinstance(value, list | tuple) else [value]
    return [_string(setting, item) for item in items]


def _string(setting: Setting[Any], item: object) -> str:
    if not isinstance(item, str):
        raise BadInput(f"Expected texts, not {item!r}")
    return _line(setting, item)


def _emails_or_patterns(setting: Setting[Any], value: object) -> list[str]:
    return [email_or_pattern(item) for item in _strings(setting, value)]


def _emails_or_patterns_or_lists(setting: Setting[Any], value: object) -> list[str]:
    items = _strings(setting, value)
    for item in items:
        if not (item.startswith("@") and is_valid_email(item[1:])):
            email_or_pattern(item)
    return items


def _aliases(setting: Setting[Any], value: object) -> list[str]:
    items = _strings(setting, value)
    for item in items:
        if item.startswith("^"):
            compile_pattern(item)
        elif "@" not in item:
            raise BadInput(item)
    return sorted({_lower(item) for item in items})


def _lower(alias: str) -> str:
    """Lower case, except what a backslash gives a meaning: capital S is not small s there."""
    if not alias.startswith("^"):
        return alias.lower()
    return re.sub(r"\\.|[^\\]+", lambda part: part[0] if part[0].startswith("\\") else part[0].lower(), alias)


def _language(setting: Setting[Any], value: object) -> str:
    if not isinstance(value, str) or value not in LANGUAGES:
        raise BadInput(f"Unknown language {value}. Accepted Values are: {', '.join(LANGUAGES)}")
    return value


def _pipeline(setting: Setting[Any], value: object) -> str:
    if not isinstance(value, str) or value not in setting.choices:
        raise BadInput(f"Unknown pipeline {value}. Accepted Values are: {', '.join(setting.choices)}")
    return value


def _password(setting: Setting[Any], value: object) -> str | None:
    text = _text(setting, value)
    # An empty password would let every post with an empty Approved header pass.
    return make_password(text) if text else None


def _moment(setting: Setting[Any], value: object) -> datetime:
    raise BadInput(f"{setting.name} cannot be written")


_FROM_WIRE: Mapping[Kind, Callable[[Setting[Any], object], Any]] = {
    "bool": lambda _, value: boolean(value),
    "int": _integer,
    "float": _number,
    "line": _line,
    "text": _text,
    "choice": _choice,
    "strings": _strings,
    "emails_or_patterns": _emails_or_patterns,
    "emails_or_patterns_or_lists": _emails_or_patterns_or_lists,
    "aliases": _aliases,
    "duration": lambda _, value: durations.seconds_of(value),
    "language": _language,
    "pipeline": _pipeline,
    "password": _password,
    "moment": _moment,
}
