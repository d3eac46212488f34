"""Headers as bytes: a view of them, and edits that leave every untouched byte where it was.

An author's mail is never re-serialised; what is not edited leaves exactly as it came, so signatures survive.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MOST_OCTETS = 1_000_000
"""Octets of a header that are looked at. What stands behind is kept, but no field is found there."""
MOST_FIELDS = 10_000

_NAME = re.compile(r"[!-9;-~]{1,200}")
# Possessive throughout: what was read is never read again, so any header takes one pass.
_A_FIELD = rb"([!-9;-~]{1,200}+)[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+\n?+"
_MBOX_LINE = rb">?From [^\n]*+\n?+"
_FIELD = re.compile(_A_FIELD)
_FIELD_OR_MBOX_LINE = re.compile(_A_FIELD + b"|" + _MBOX_LINE)
_HEADER = re.compile(b"(?:%b|%b){0,%d}+" % (_A_FIELD.replace(b"(", b"(?:", 1), _MBOX_LINE, MOST_FIELDS))
_COLON = re.compile(rb"[ \t]*+:")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127), " ")
_LONGEST_LINE = 998
_WANTED_LINE = 78


class Field(NamedTuple):
    """One header field: its name as written, and its bytes with folding and line end."""

    name: str
    raw: bytes
    start: int
    end: int

    @property
    def value(self) -> str:
        """The unfolded value, stripped, on one line; UTF-8 where it is that, else Latin-1.

        Control characters become spaces: neither a database nor another header field takes them.
        """
        return _value(self.raw)


def _value(field: bytes) -> str:
    data = field.partition(b":")[2].replace(b"\r\n", b"").replace(b"\n", b"").strip(b" \t\r")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text if text.isprintable() else text.translate(_CONTROLS)


class Headers:
    """The header fields of a mail, in order, with their places in its bytes.

    `end` is where the header ends and `body_offset`, behind the empty line, where the body begins. `excessive` says
    that there is more header than is looked at. Most mails are asked for a few fields by name, so those are found in
    the bytes; all of them are taken apart for who wants them all.
    """

    __slots__ = ("_fields", "_lower", "_raw", "_start", "_stop", "body_offset", "end", "excessive", "newline")

    def __init__(
        self, raw: bytes, span: tuple[int, int], end: int, body_offset: int, newline: bytes, *, excessive: bool
    ) -> None:
        """The fields that are looked at stand in `span` of `raw`; use `parse` instead."""
        self._raw = raw
        self._start, self._stop = span
        self._fields: tuple[Field, ...] | None = None
        self._lower: bytes | None = None
        self.end = end
        self.body_offset = body_offset
        self.newline = newline
        self.excessive = excessive

    @classmethod
    def parse(cls, raw: bytes, start: int = 0, stop: int | None = None) -> "Headers":
        """Find the fields of a mail, or of a part from `start` to `stop`, with CRLF or LF line ends; never fails.

        Seen in practice: mbox `From ` lines between the fields, no empty line before the body.
        """
        size = len(raw) if stop is None else stop
        window = min(size, start + MOST_OCTETS)
        first = raw.find(b"\n", start, window)
        newline = b"\n" if first == start or (first > start and raw[first - 1] != 0x0D) else b"\r\n"
        header = _HEADER.match(raw, start, window)
        assert header is not None  # It may be empty.
        position = header.end()
        excessive = window < size and raw.find(b"\n", position, window) < 0
        if position == window < size:
            position = _last_field(raw, start, window)
        excessive = excessive or _FIELD.match(raw, position, window) is not None
        end = _empty_line(raw, position, size) if excessive else position
        return cls(raw, (start, position), end, _behind_empty_line(raw, end, size), newline, excessive=excessive)

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every field, in order."""
        if self._fields is None:
            matches = _FIELD_OR_MBOX_LINE.finditer(self._raw, self._start, self._stop)
            self._fields = tuple(_field(match) for match in matches if match[1])
        return self._fields

    def get(self, name: str) -> str | None:
        """The unfolded value of the first field of this name."""
        for field in self._named(name):
            return _value(field)
        return None

    def get_all(self, name: str) -> list[str]:
        """The unfolded values of all fields of this name."""
        return [_value(field) for field in self._named(name)]

    def _named(self, name: str) -> Iterator[bytes]:
        """The fields of this name: within a header only they and mbox lines begin where a line does."""
        if self._lower is None:
            self._lower = b"\n" + self._raw[self._start : self._stop].lower()
        wanted = b"\n" + name.lower().encode()
        at = self._lower.find(wanted)
        while at >= 0:
            if _COLON.match(self._lower, at + len(wanted)):
                match = _FIELD.match(self._raw, self._start + at, self._stop)
                if match is not None:
                    yield match[0]
            at = self._lower.find(wanted, at + 1)

    def names(self) -> list[str]:
        """Names as written, in order, with repetitions."""
        return [field.name for field in self.fields]

    def __contains__(self, name: str) -> bool:
        return next(self._named(name), None) is not None

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)


def _field(match: "re.Match[bytes]") -> Field:
    return Field(match[1].decode("ascii"), match[0], match.start(), match.end())


def _last_field(raw: bytes, start: int, stop: int) -> int:
    """Where the last field or mbox line begins: it reaches the end of what is looked at, and may go on behind it."""
    *_, last = _FIELD_OR_MBOX_LINE.finditer(raw, start, stop)
    return last.start()


def _empty_line(raw: bytes, position: int, size: int) -> int:
    """Where the first empty line at or behind this place begins."""
    found = [at + 1 for end in (b"\n\r\n", b"\n\n") if (at := raw.find(end, max(0, position - 1), size)) >= 0]
    return min(found, default=size)


def _behind_empty_line(raw: bytes, position: int, size: int) -> int:
    """Behind the empty line at this place; the place itself when the body begins without one."""
    if raw.startswith(b"\r\n", position, size):
        return position + 2
    return position + 1 if raw.startswith(b"\n", position, size) else position


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
    if _FORBIDDEN.search(value) or not _NAME.fullmatch(name):
        raise ValueError(f"header {name!r} must not hold line breaks or NUL")
    lines, line = [], f"{name}:"
    for word in re.findall(r"[ \t]+[^ \t]*|[^ \t]+", f" {value}" if value else " "):
        if len(line) + len(word) > _WANTED_LINE and word.strip() and line != f"{name}:":
            lines.append(line)
            line = word
        else:
            line += word
    lines.append(line)
    return b"".join(piece.encode("utf-8", "replace") + newline for line in lines for piece in _cut(line))


def _cut(line: str) -> Sequence[str]:
    """A line in pieces that SMTP takes: broken all the same where it has no white space (RFC 5321 §4.5.3.1.6)."""
    width = _LONGEST_LINE - 8 if line.isascii() else _LONGEST_LINE // 4 - 8
    if len(line) <= width:
        return (line,)
    return [" " * (i > 0) + line[i : i + width] for i in range(0, len(line), width)]


def apply_edits(raw: bytes, edits: Sequence[Edit]) -> bytes:
    """The mail with its header edited; without edits, exactly the same bytes.

    What stands between the fields (mbox lines) is left out; what lies behind the fields that are looked at, the empty
    line and the body stay as they are.
    """
    if not edits:
        return raw
    headers = Headers.parse(raw)
    pieces: list[tuple[str, bytes]] = [(field.name.lower(), field.raw) for field in headers.fields]
    if headers.excessive:
        pieces.append(("", raw[headers.fields[-1].end if headers.fields else 0 : headers.end]))
    if pieces and not pieces[-1][1].endswith(b"\n"):
        pieces[-1] = (pieces[-1][0], pieces[-1][1] + headers.newline)
    for edit in edits:
        pieces = _edited(pieces, edit, headers.newline)
    empty_line = raw[headers.end : headers.body_offset] or headers.newline
    return b"".join((*(data for _, data in pieces), empty_line, raw[headers.body_offset :]))


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
