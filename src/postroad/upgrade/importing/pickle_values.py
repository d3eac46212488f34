"""What comes out of an old pickle: plain values, names of classes, and inert records of instances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from types import MappingProxyType
from typing import Any

from postroad.foundation.errors import BadInput


class Refused(BadInput):
    """The pickle wants something a file of plain data does not need."""


class Damaged(BadInput):
    """The pickle ends too early, or is none."""


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function the pickle names; never looked up."""

    text: str
    """Module and name, such as `Mailman.Message.Message`."""

    @property
    def last(self) -> str:
        """The name without its module."""
        return self.text.rpartition(".")[2]


@dataclass(slots=True, eq=False)
class Record:
    """An instance the pickle would have made: the name of its class, and what was to go into it."""

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    """What stood in its `__dict__`, as a rule a dictionary with `str` or `bytes` keys."""
    items: list[Any] = field(default_factory=list)
    """Members, if its class was a kind of list or set."""
    pairs: dict[Any, Any] = field(default_factory=dict)
    """Entries, if its class was a kind of dictionary."""

    def get(self, attribute: str, default: Any = None) -> Any:
        """An attribute of the instance, whether its name was written by Python 2 or 3."""
        state = self.state[0] if isinstance(self.state, tuple) and self.state else self.state
        if not isinstance(state, dict):
            return default
        return state.get(attribute, state.get(attribute.encode(), default))


_LARGEST_KEY = 2**61 - 2
"""Larger whole numbers can be chosen so that all have the same hash, and a dictionary of them takes for ever."""


def as_key(value: Any) -> Any:
    """The value, if it may be a key: a scalar, or a short tuple of scalars; hashing others may take for ever.

    Raises:
        TypeError: it may not.
    """
    if isinstance(value, tuple) and len(value) <= 100:
        return tuple(as_key(part) if not isinstance(part, tuple) else _no_key() for part in value)
    if isinstance(value, int) and abs(value) > _LARGEST_KEY:
        _no_key()
    if value is None or isinstance(value, Name | str | bytes | int | float | frozenset | datetime | timedelta):
        return value
    return _no_key()


def _no_key() -> Any:
    raise TypeError


def _moment(arguments: tuple[Any, ...]) -> datetime:
    """A datetime from its ten packed bytes (Python's `datetime.__reduce__`); naive ones stay naive."""
    packed = arguments[0].encode("latin-1") if isinstance(arguments[0], str) else arguments[0]
    if not isinstance(packed, bytes) or len(packed) != 10:
        raise ValueError
    zone = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], tzinfo) else None
    year, micro = packed[0] * 256 + packed[1], int.from_bytes(packed[7:], "big")
    return datetime(year, packed[2] & 0x7F, packed[3], packed[4], packed[5], packed[6], micro, zone)


def _encoded(arguments: tuple[Any, ...]) -> bytes:
    """Bytes as Python 3 writes them for Python 2: text and the word latin1."""
    text = arguments[0]
    if not isinstance(text, str):
        raise TypeError
    return text.encode("latin-1")


def _members(arguments: tuple[Any, ...]) -> list[Any]:
    members = arguments[0] if arguments else []
    if not isinstance(members, list | tuple | set | frozenset):
        raise TypeError
    return list(members)


def _text(arguments: tuple[Any, ...]) -> str:
    return arguments[0] if arguments and isinstance(arguments[0], str) else ""


def _bytes(arguments: tuple[Any, ...]) -> bytes:
    if arguments and isinstance(arguments[0], str):
        return arguments[0].encode("latin-1")
    return arguments[0] if arguments and isinstance(arguments[0], bytes) else b""


def _zone(arguments: tuple[Any, ...]) -> timezone:
    if not isinstance(arguments[0], timedelta):
        raise TypeError
    return UTC if not arguments[0] else timezone(arguments[0])


PLAIN: Mapping[str, Callable[[tuple[Any, ...]], Any]] = MappingProxyType({
    "datetime.datetime": _moment,
    "datetime.timedelta": lambda arguments: timedelta(*arguments[:3]),
    "datetime.timezone": _zone,
    "_codecs.encode": _encoded,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.str": _text,
    "__builtin__.str": _bytes,
    "__builtin__.bytes": _bytes,
    "__builtin__.unicode": _text,
    **{
        f"{module}.{name}": make
        for module in ("builtins", "__builtin__")
        for name, make in {
            "list": _members,
            "dict": lambda _: {},
            "set": lambda arguments: {as_key(member) for member in _members(arguments)},
            "frozenset": lambda arguments: frozenset(as_key(member) for member in _members(arguments)),
        }.items()
    },
    "collections.OrderedDict": lambda _: {},
    "collections.defaultdict": lambda _: {},
})  # fmt: skip
"""What instances of some classes become."""

PLAIN_NAMES = frozenset(PLAIN) | {
    "__builtin__.object", "builtins.object", "copy_reg._reconstructor", "copyreg._reconstructor",
    "copyreg.__newobj__",
}  # fmt: skip
"""Names every reader may meet."""
