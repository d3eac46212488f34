"""Headers as bytes: a view of them, and edits that leave every untouched byte where it was.

An author's mail is never re-serialised; what is not edited leaves exactly as it came, so signatures survive.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FIELD_NAME = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_LONGEST_LINE = 998
_WANTED_LINE = 78


@dataclass(frozen=True, slots=True)
class Field:
    """One header field: its name as written, and its bytes with folding and line end."""

    name: str
    raw: bytes
    start: int
    end: int

    @property
    def value(self) -> str:
        """The unfolded value, stripped; UTF-8 where it is that, else Latin-1."""
        text = self.raw.partition(b":")[2]
        return _text(re.sub(rb"\r?\n(?=[ \t])", b"", text).strip(b" \t\r\n"))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


class Headers:
    """The header fields of a mail, in order, with their places in its bytes."""

    __slots__ = ("_by_name", "body_offset", "fields", "newline", "raw")

    def __init__(self, raw: bytes, fields: tuple[Field, ...], body_offset: int, newline: bytes) -> None:
        self.raw = raw
        self.fields = fields
        self.body_offset = body_offset
        self.newline = newline
        self._by_name: dict[str, list[Field]] = {}
        for field in fields:
            self._by_name.setdefault(field.name.lower(), []).append(field)

    @classmethod
    def parse(cls, raw: bytes) -> "Headers":
        """Find the fields of a mail with CRLF or LF line ends; never fails.

        Seen in practice: an mbox `From ` line on top, no empty line before the body, lines that are no field.
        """
        position = 0
        first = raw.find(b"\n")
        newline = b"\r\n" if first < 0 or raw[first - 1 : first] == b"\r" else b"\n"
        if raw.startswith((b"From ", b">From ")):
            position = first + 1 if first >= 0 else len(raw)
        fields: list[Field] = []
        size = len(raw)
        while position < size:
            if raw.startswith((b"\r\n", b"\n"), position):
                position += 2 if raw[position : position + 1] == b"\r" else 1
                break
            match = _FIELD_NAME.match(raw, position)
            if match is None and fields and raw[position : position + 1] not in (b" ", b"\t"):
                break  # No empty line: the body begins where the fields end.
            end = _field_end(raw, position)
            if match is not None:
                fields.append(Field(match[1].decode("ascii"), raw[position:end], position, end))
            position = end
        return cls(raw, tuple(fields), position, newline)

    def get(self, name: str) -> str | None:
        """The unfolded value of the first field of this name."""
        found = self._by_name.get(name.lower())
        return found[0].value if found else None

    def get_all(self, name: str) -> list[str]:
        """The unfolded values of all fields of this name."""
        return [field.value for field in self._by_name.get(name.lower(), ())]

    def names(self) -> list[str]:
        """Names as written, in order, with repetitions."""
        return [field.name for field in self.fields]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)


def _field_end(raw: bytes, position: int) -> int:
    """Behind the last line of the field that begins here."""
    while True:
        end = raw.find(b"\n", position)
        if end < 0:
            return len(raw)
        position = end + 1
        if raw[position : position + 1] not in (b" ", b"\t"):
            return position
        # A line of white space only ends the header: Seen in practice, and split at by receivers.
        if not raw[position : position + 80].strip() and raw[position:].lstrip(b" \t")[:1] in (b"\r", b"\n", b""):
            return position


# --- edits


@dataclass(frozen=True, slots=True)
class Remove:
    """Take all fields of this name away."""

    name: str


@dataclass(frozen=True, slots=True)
class RemovePrefix:
    """Take all fields away whose name begins so."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Replace:
    """One field of this name in place of all there are; at the end when there was none."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Append:
    """One more field at the end."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Prepend:
    """One more field on top, as trace fields are (RFC 5322 §3.6.7)."""

    name: str
    value: str


Edit = Remove | RemovePrefix | Replace | Append | Prepend


def fold(name: str, value: str, newline: bytes = b"\r\n") -> bytes:
    """One field as bytes, folded at white space near 78 columns, never longer than 998 (RFC 5322 §2.1.1).

    Raises:
        ValueError: CR, LF or NUL in it: a value never brings a header of its own.
    """
    if _FORBIDDEN.search(value) or not _FIELD_NAME.fullmatch(f"{name}:".encode("ascii", "replace")):
        raise ValueError(f"header {name!r} must not hold line breaks or NUL")
    lines, line = [], f"{name}:"
    for word in re.findall(r"[ \t]+[^ \t]*|[^ \t]+", f" {value}" if value else " "):
        if len(line) + len(word) > _WANTED_LINE and word.strip() and line != f"{name}:":
            lines.append(line)
            line = word
        else:
            line += word
    lines.append(line)
    data = newline.join(part.encode("utf-8") for part in lines)
    if any(len(part) > _LONGEST_LINE for part in data.split(newline)):
        data = newline.join(_cut(part) for part in data.split(newline))
    return data + newline


def _cut(line: bytes) -> bytes:
    """A line without white space that is too long for SMTP: broken all the same (RFC 5321 §4.5.3.1.6)."""
    return b"\r\n ".join(line[i : i + _LONGEST_LINE - 8] for i in range(0, len(line), _LONGEST_LINE - 8))


def header_block(raw: bytes, edits: Sequence[Edit], headers: "Headers | None" = None) -> bytes:
    """The edited header, without the empty line behind it."""
    headers = headers or Headers.parse(raw)
    pieces: list[tuple[str, bytes]] = [(field.name.lower(), field.raw) for field in headers.fields]
    if pieces and not pieces[-1][1].endswith(b"\n"):
        pieces[-1] = (pieces[-1][0], pieces[-1][1] + headers.newline)
    for edit in edits:
        pieces = _edited(pieces, edit, headers.newline)
    return b"".join(data for _, data in pieces)


def _edited(pieces: list[tuple[str, bytes]], edit: Edit, newline: bytes) -> list[tuple[str, bytes]]:
    match edit:
        case Remove(name):
            return [piece for piece in pieces if piece[0] != name.lower()]
        case RemovePrefix(prefix):
            return [piece for piece in pieces if not piece[0].startswith(prefix.lower())]
        case Append(name, value):
            return [*pieces, (name.lower(), fold(name, value, newline))]
        case Prepend(name, value):
            return [(name.lower(), fold(name, value, newline)), *pieces]
        case Replace(name, value):
            new = (name.lower(), fold(name, value, newline))
            at = next((i for i, piece in enumerate(pieces) if piece[0] == new[0]), None)
            if at is None:
                return [*pieces, new]
            rest = [piece for piece in pieces[at + 1 :] if piece[0] != new[0]]
            return [*pieces[:at], new, *rest]


def apply_edits(raw: bytes, edits: Sequence[Edit]) -> bytes:
    """The mail with its header edited; without edits, exactly the same bytes."""
    if not edits:
        return raw
    headers = Headers.parse(raw)
    body = raw[headers.body_offset :]
    return header_block(raw, edits, headers) + headers.newline + body
