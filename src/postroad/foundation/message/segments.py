"""Personal copies: a prepared mail as pieces and slots, spliced for each recipient in a microsecond."""

import functools
import quopri
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

Encoding = Literal["header", "8bit", "qp"]


class Slot(msgspec.Struct, frozen=True, tag="slot"):
    """A place that each copy fills with a value of its own, encoded for where it stands."""

    name: str
    encoding: Encoding = "8bit"


class _Bytes(msgspec.Struct, frozen=True, tag="bytes"):
    data: bytes


_BREAK = re.compile(r"\r\n|\r|\n")
_UNSAFE = re.compile(r"[\r\n\0]")


def _header(value: str) -> bytes:
    """A value inside a header field: never a line break."""
    return _UNSAFE.sub(" ", value).encode("utf-8", "replace")


def _eight_bit(value: str) -> bytes:
    return _BREAK.sub("\r\n", value).encode("utf-8", "replace")


def _quoted_printable(value: str) -> bytes:
    """A value inside quoted-printable text; soft breaks keep its lines short (RFC 2045 §6.7)."""
    data = quopri.encodestring(_BREAK.sub("\n", value).encode("utf-8", "replace"))
    return data.replace(b"\n", b"\r\n")


_ENCODERS = {"header": _header, "8bit": _eight_bit, "qp": _quoted_printable}


class Template:
    """An immutable sequence of bytes and slots."""

    __slots__ = ("_cells", "_places", "parts", "slots")

    def __init__(self, parts: Sequence[bytes | Slot]) -> None:
        joined: list[bytes | Slot] = []
        for part in parts:
            if isinstance(part, bytes) and joined and isinstance(joined[-1], bytes):
                joined[-1] += part
            elif part != b"":
                joined.append(part)
        self.parts = tuple(joined)
        self.slots = frozenset(part.name for part in joined if isinstance(part, Slot))
        self._cells = [part if isinstance(part, bytes) else b"" for part in joined]
        self._places = [(i, p.name, _ENCODERS[p.encoding]) for i, p in enumerate(joined) if isinstance(p, Slot)]

    def render(self, values: Mapping[str, str]) -> bytes:
        """One copy; `values` has one for each of `slots`."""
        if not self._places:
            return self._cells[0] if self._cells else b""
        cells = self._cells.copy()
        for place, name, encoder in self._places:
            cells[place] = encoder(values[name])
        return b"".join(cells)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


_encoder = msgspec.msgpack.Encoder()


@functools.cache
def _decoder() -> "msgspec.msgpack.Decoder[list[_Bytes | Slot]]":
    return msgspec.msgpack.Decoder(list[_Bytes | Slot])


def encode(template: Template) -> bytes:
    """The template as it is stored."""
    return _encoder.encode([_Bytes(part) if isinstance(part, bytes) else part for part in template.parts])


def decode(data: bytes) -> Template:
    """The template again."""
    return Template([part.data if isinstance(part, _Bytes) else part for part in _decoder().decode(data)])


Pieces = tuple[bytes | Slot, ...]
"""Bytes and slots, as in a template; no two bytes beside each other."""


def parted(template: Template) -> tuple[list[Pieces], Pieces]:
    """The header fields of a template, each with its slots and its line end, and its body behind the empty line.

    A slot that is a whole line, and may be empty, stands as a field of its own.
    """
    fields: list[list[bytes | Slot]] = []
    parts = list(template.parts)
    fresh = True
    while parts:
        part = parts.pop(0)
        if isinstance(part, Slot):
            fields.append([part]) if fresh else fields[-1].append(part)
            continue
        position = 0
        while position < len(part):
            if fresh and part.startswith(b"\r\n", position):
                rest = [part[position + 2 :], *parts]
                return [Template(field).parts for field in fields], Template(rest).parts
            end = part.find(b"\r\n", position) + 2
            line = part[position : end if end > 1 else None]
            if fresh and not (fields and line[:1] in b" \t"):
                fields.append([line])
            else:
                fields[-1].append(line)
            fresh = end > 1
            position += len(line)
    return [Template(field).parts for field in fields], ()
