"""The machine a pickle is a program for, without the parts that import and call; see `pickles`."""

import codecs
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from postroad.upgrade.importing.pickle_values import PLAIN, PLAIN_NAMES, Damaged, Name, Record, Refused, as_key

MOST_DIGITS = 4000
"""Of a whole number: longer ones take time that grows with the square."""


_MARK = object()


class Machine:
    """Stack, memo and place in the data of a pickle being read."""

    def __init__(self, data: bytes, names: frozenset[str]) -> None:
        self.data = data
        self.at = 0
        self.names = names | PLAIN_NAMES
        self.packages = tuple(name[:-1] for name in names if name.endswith(".*"))
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Obey opcodes until the end of one pickle; its value."""
        self.stack, self.memo = [], {}
        begun = self.at
        try:
            while True:
                code = self.data[self.at]
                self.at += 1
                if code == 0x2E:  # STOP
                    return self.pop()
                operation = _OPERATIONS.get(code)
                if operation is None:
                    raise Refused(self._where(_REFUSED.get(code, f"holds an unknown opcode {code:#04x}")))
                operation(self)
        except (IndexError, KeyError, ValueError, struct.error, OverflowError, TypeError) as error:
            if self.at >= len(self.data):
                raise Damaged(f"the pickle that begins at byte {begun} is cut short") from error
            raise Damaged(self._where("is damaged")) from error

    def _where(self, what: str) -> str:
        return f"the pickle {what} (at byte {self.at - 1})"

    # --- reading

    def take(self, size: int) -> bytes:
        """The next bytes; `IndexError` if there are fewer."""
        if size < 0 or size > len(self.data) - self.at:
            self.at = len(self.data)
            raise IndexError
        self.at += size
        return self.data[self.at - size : self.at]

    def line(self) -> bytes:
        """The next bytes up to the end of a line."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            self.at = len(self.data)
            raise IndexError
        text = self.data[self.at : end]
        self.at = end + 1
        return text

    def number(self, form: str) -> int:
        """The next number in `struct`'s notation."""
        return cast("int", struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def check_protocol(self) -> None:
        """The version of the format, up to Python 3's newest."""
        if self.number("<B") > 5:
            raise ValueError

    def skip(self, size: int) -> None:
        """Pass over the size of a frame, which says nothing new."""
        self.take(size)

    # --- stack

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """The topmost value, taken away."""
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError
        return value

    def drop(self) -> None:
        """Take the topmost value or mark away."""
        self.stack.pop()

    def drop_to_mark(self) -> None:
        """Take the topmost mark and what is above it away."""
        self.pop_to_mark()

    def pop_to_mark(self) -> list[Any]:
        """Values above the topmost mark, which goes too."""
        stack = self.stack
        at = len(stack) - 1
        while stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise IndexError
        values = stack[at + 1 :]
        del stack[at:]
        return values

    # --- containers

    def append(self, values: list[Any]) -> None:
        """Add to the list on top."""
        into = self.stack[-1]
        if isinstance(into, Record):
            into.items.extend(values)
        elif isinstance(into, list):
            into.extend(values)
        elif isinstance(into, set):
            into.update(as_key(value) for value in values)
        else:
            raise TypeError

    def set_items(self, values: list[Any]) -> None:
        """Add keys and values in turn to the dictionary on top."""
        into = self.stack[-1]
        if isinstance(into, Record):
            into = into.pairs
        if not isinstance(into, dict) or len(values) % 2:
            raise TypeError
        for at in range(0, len(values), 2):
            into[as_key(values[at])] = values[at + 1]

    # --- classes

    def name(self, module: str, name: str) -> Name:
        """A class or function by name, if it may be spoken of."""
        text = f"{module}.{name}"
        if text not in self.names and not text.startswith(self.packages or ("\0",)):
            raise Refused(self._where(f"asks for {text[:200]!r}, which plain data has no use for"))
        return Name(text)

    def call(self, callee: Any, arguments: Any, what: str) -> None:
        """A call: a plain value where the name stands for one, else a record of it."""
        if not isinstance(callee, Name):
            raise Refused(self._where(f"wants to {what} something that is no class"))
        if not isinstance(arguments, tuple):
            raise TypeError
        if callee.last in ("_reconstructor", "__newobj__") and arguments:
            self.call(arguments[0], (), what)
            if isinstance(arguments[-1], list):  # The class is a kind of list; Python 2 gives its members here.
                self.append(arguments[-1])
            return
        make = PLAIN.get(callee.text)
        self.push(Record(callee.text, arguments) if make is None else make(arguments))

    def build(self) -> None:
        """Give an instance its state."""
        state = self.pop()
        target = self.stack[-1]
        if isinstance(target, Record):
            target.state = state
        elif not isinstance(target, dict | list | set):
            raise Refused(self._where("wants to change something that is no instance"))


def _integer(text: bytes) -> int:
    text = text.rstrip(b"L")
    if len(text) > MOST_DIGITS:
        raise ValueError
    return int(text)


def _long(data: bytes) -> int:
    if len(data) > MOST_DIGITS:
        raise ValueError
    return int.from_bytes(data, "little", signed=True)


def _quoted(text: bytes) -> bytes:
    """A Python 2 string as it stands in source text."""
    if len(text) < 2 or text[:1] not in (b"'", b'"') or text[-1:] != text[:1]:
        raise ValueError
    return codecs.escape_decode(text[1:-1])[0]


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


# --- the opcodes, in the order of Python's `pickletools`

_Operation = Callable[[Machine], None]


def _pushes(read: Callable[[Machine], Any]) -> _Operation:
    return lambda m: m.push(read(m))


def _gathers(make: Callable[[list[Any]], Any]) -> _Operation:
    return lambda m: m.push(make(m.pop_to_mark()))


def _dictionary(m: Machine) -> None:
    values = m.pop_to_mark()
    m.push({})
    m.set_items(values)


def _tuple_of(count: int) -> _Operation:
    def operation(m: Machine) -> None:
        values = [m.pop() for _ in range(count)]
        m.push(tuple(reversed(values)))

    return operation


def _int(m: Machine) -> Any:
    text = m.line()
    return text == b"01" if text in (b"00", b"01") else _integer(text)


def _memorize(read: Callable[[Machine], int]) -> _Operation:
    def operation(m: Machine) -> None:
        m.memo[read(m)] = m.stack[-1]

    return operation


def _instance(m: Machine) -> None:
    module, name = m.line().decode("ascii"), m.line().decode("utf-8")
    m.call(m.name(module, name), tuple(m.pop_to_mark()), "make")


def _object(m: Machine) -> None:
    callee, *arguments = m.pop_to_mark()
    m.call(callee, tuple(arguments), "make")


def _call(m: Machine) -> None:
    arguments, callee = m.pop(), m.pop()
    m.call(callee, arguments, "call")


def _call_with_keywords(m: Machine) -> None:
    keywords, arguments, callee = m.pop(), m.pop(), m.pop()
    if keywords:
        raise TypeError
    m.call(callee, arguments, "call")


def _global(m: Machine) -> None:
    module, name = m.line().decode("ascii"), m.line().decode("utf-8")
    m.push(m.name(module, name))


def _stack_global(m: Machine) -> None:
    name, module = m.pop(), m.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise TypeError
    m.push(m.name(module, name))


def _append(m: Machine) -> None:
    value = m.pop()
    m.append([value])


def _set_item(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    m.set_items([key, value])


_OPERATIONS: Mapping[int, _Operation] = MappingProxyType({
    ord(code): operation
    for code, operation in {
        "I": _pushes(_int),
        "J": _pushes(lambda m: m.number("<i")),
        "K": _pushes(lambda m: m.number("<B")),
        "M": _pushes(lambda m: m.number("<H")),
        "L": _pushes(lambda m: _integer(m.line())),
        "\x8a": _pushes(lambda m: _long(m.take(m.number("<B")))),
        "\x8b": _pushes(lambda m: _long(m.take(m.number("<i")))),
        "S": _pushes(lambda m: _quoted(m.line().strip())),
        "T": _pushes(lambda m: m.take(m.number("<i"))),
        "U": _pushes(lambda m: m.take(m.number("<B"))),
        "B": _pushes(lambda m: m.take(m.number("<I"))),
        "C": _pushes(lambda m: m.take(m.number("<B"))),
        "\x8e": _pushes(lambda m: m.take(m.number("<Q"))),
        "\x96": _pushes(lambda m: m.take(m.number("<Q"))),
        "N": _pushes(lambda _: None),
        "\x88": _pushes(lambda _: True),
        "\x89": _pushes(lambda _: False),
        "V": _pushes(lambda m: m.line().decode("raw-unicode-escape")),
        "X": _pushes(lambda m: _utf8(m.take(m.number("<I")))),
        "\x8c": _pushes(lambda m: _utf8(m.take(m.number("<B")))),
        "\x8d": _pushes(lambda m: _utf8(m.take(m.number("<Q")))),
        "F": _pushes(lambda m: float(m.line())),
        "G": _pushes(lambda m: m.number(">d")),
        "]": _pushes(lambda _: []),
        "a": _append,
        "e": lambda m: m.append(m.pop_to_mark()),
        "l": _gathers(list),
        ")": _pushes(lambda _: ()),
        "t": _gathers(tuple),
        "\x85": _tuple_of(1),
        "\x86": _tuple_of(2),
        "\x87": _tuple_of(3),
        "}": _pushes(lambda _: {}),
        "d": _dictionary,
        "s": _set_item,
        "u": lambda m: m.set_items(m.pop_to_mark()),
        "\x8f": _pushes(lambda _: set()),
        "\x90": lambda m: m.append(m.pop_to_mark()),
        "\x91": _gathers(lambda values: frozenset(as_key(value) for value in values)),
        "0": lambda m: m.drop(),
        "2": lambda m: m.push(m.stack[-1]),
        "(": lambda m: m.push(_MARK),
        "1": lambda m: m.drop_to_mark(),
        "p": _memorize(lambda m: _integer(m.line())),
        "q": _memorize(lambda m: m.number("<B")),
        "r": _memorize(lambda m: m.number("<I")),
        "\x94": _memorize(lambda m: len(m.memo)),
        "g": _pushes(lambda m: m.memo[_integer(m.line())]),
        "h": _pushes(lambda m: m.memo[m.number("<B")]),
        "j": _pushes(lambda m: m.memo[m.number("<I")]),
        "c": _global,
        "\x93": _stack_global,
        "i": _instance,
        "o": _object,
        "R": _call,
        "\x81": _call,
        "\x92": _call_with_keywords,
        "b": lambda m: m.build(),
        "\x80": lambda m: m.check_protocol(),
        "\x95": lambda m: m.skip(8),
    }.items()
})  # fmt: skip

_REFUSED: Mapping[int, str] = MappingProxyType(
    {
        ord("P"): "asks for a persistent object",
        ord("Q"): "asks for a persistent object",
        0x82: "asks for a registered extension",
        0x83: "asks for a registered extension",
        0x84: "asks for a registered extension",
        0x97: "asks for a buffer outside of itself",
        0x98: "asks for a buffer outside of itself",
    }
)
"""Opcodes that fetch things from outside the pickle."""
