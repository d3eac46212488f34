"""The MIME tree of a mail as spans of its bytes: what is where, without taking anything apart."""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from postroad.foundation.errors import TooLarge
from postroad.foundation.message.charsets import Guess, decode_bytes
from postroad.foundation.message.encoded_words import decode_parameters
from postroad.foundation.message.headers import Headers

_NO_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_UNENCODED = ("7bit", "8bit", "binary", "")
_MOST_TEXT = 8_000_000
"""Octets, still encoded, of a part that are read as text: so many bytes become some times as much memory."""
_LONGEST_BOUNDARY = 200
"""Octets; RFC 2046 §5.1.1 allows 70."""
_LONGEST_LINE = _LONGEST_BOUNDARY + 50
_DASHES = re.compile(rb"\n--([^\n]{1,%d})" % _LONGEST_LINE)


class MimeTooComplex(TooLarge):
    """More parts, or parts deeper inside each other, than anybody means to send."""


@dataclass(frozen=True, slots=True)
class MimeLimits:
    """How complex a mail may be."""

    parts: int = 1000
    depth: int = 50
    header: int = 65_536
    """Octets of a part's header."""
    fields: int = 20_000
    """Header fields of all parts together, without those of the mail itself."""
    lines: int = 500_000
    """Lines that begin with two hyphens, each of which might be a boundary."""


DEFAULT = MimeLimits()


@dataclass(slots=True)
class Part:
    """One part: its header begins at `start`, its body at `body`, it ends at `end` (offsets into the mail)."""

    start: int
    body: int
    end: int
    headers: Headers
    content_type: str
    params: dict[str, str]
    disposition: str
    filename: str
    encoding: str
    depth: int
    guess: Guess = field(default_factory=Guess, repr=False)
    """Shared by all parts of a mail."""
    children: list["Part"] = field(default_factory=list)

    @property
    def charset(self) -> str:
        """The label of a text part's characters."""
        return self.params.get("charset", "")

    @property
    def is_multipart(self) -> bool:
        """Whether it has parts of its own."""
        return bool(self.children)

    def decoded(self, raw: bytes) -> bytes:
        """The content with its transfer encoding undone; never fails, damage is skipped (RFC 2045 §6)."""
        return self._decoded(raw[self.body : self.end])

    def _decoded(self, data: bytes) -> bytes:
        if self.encoding == "quoted-printable":
            return quopri.decodestring(data)
        if self.encoding == "base64":
            return _from_base64(data)
        return data

    def text(self, raw: bytes) -> str:
        """The first megabytes of the content as text in LF lines; never fails, a wrong charset is guessed at."""
        data = self._decoded(raw[self.body : min(self.end, self.body + _MOST_TEXT)])
        return decode_bytes(data, self.charset, self.guess).replace("\r\n", "\n").replace("\r", "\n")

    def walk(self) -> Iterator["Part"]:
        """This part and all parts in it, in the order of the mail."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))


def _from_base64(data: bytes) -> bytes:
    """Decoded as far as it can be: characters outside the alphabet are skipped, a lost end is made up for."""
    clean = data.translate(None, _NO_BASE64).rstrip(b"=")
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    try:
        return base64.b64decode(clean + b"=" * (-len(clean) % 4))
    except (binascii.Error, ValueError):
        return data


def walk(raw: bytes, limits: MimeLimits = DEFAULT) -> Part:
    """The tree of a mail's parts, found in one pass: a mail costs the same however its parts lie in each other.

    Raises:
        MimeTooComplex: more parts, depth or header of a part than `limits`.
    """
    return _Walker(raw, limits).walk()


class _Line(NamedTuple):
    """A boundary line (RFC 2046 §5.1.1): where it starts, where the next line starts, whether it ends the multipart."""

    start: int
    behind: int
    boundary: bytes
    closing: bool


class _Walker:
    """Goes from boundary line to boundary line; the line end before one belongs to it."""

    def __init__(self, raw: bytes, limits: MimeLimits) -> None:
        self._raw = raw
        self._limits = limits
        self._parts = 0
        self._lines = 0
        self._fields = 0
        self._guess = Guess()
        self._inside: list[Part] = []
        """The parts that are open, each in the one before."""
        self._active: dict[bytes, Part] = {}
        """The multiparts that are open by their boundaries; of two with the same one, the outer."""

    def walk(self) -> Part:
        self._begin(0, "text/plain")
        root = self._inside[0]
        line = self._next_line(self._inside[-1].body, len(self._raw))
        while line is not None:
            line = self._next_line(self._cross(line), len(self._raw))
        return root

    def _next_line(self, position: int, stop: int) -> _Line | None:
        """The first line from here on that is a boundary of an open multipart."""
        if not self._active:
            return None
        for match in _DASHES.finditer(self._raw, max(0, position - 1), stop):
            self._lines += 1
            if self._lines > self._limits.lines:
                raise MimeTooComplex("it has more lines like boundaries than anybody means to send")
            text = match[1].rstrip(b" \t\r")
            closing = text not in self._active
            boundary = text[:-2] if closing and text.endswith(b"--") else text
            if boundary in self._active and len(match[1]) < _LONGEST_LINE:
                return _Line(match.start() + 1, min(match.end() + 1, len(self._raw)), boundary, closing)
        return None

    def _cross(self, line: _Line) -> int:
        """End the parts that this line ends and begin the one it begins; where to look on."""
        parent = self._active[line.boundary]
        while self._inside[-1] is not parent:
            part = self._inside.pop()
            part.end = max(part.body, self._before_line_end(part.start, line.start))
            self._deactivate(part)
        if line.closing:
            self._deactivate(parent)
            return line.behind
        self._begin(line.behind, "message/rfc822" if parent.content_type == "multipart/digest" else "text/plain")
        return self._inside[-1].body

    def _deactivate(self, part: Part) -> None:
        boundary = _boundary(part)
        if self._active.get(boundary) is part:
            del self._active[boundary]

    def _begin(self, start: int, default_type: str) -> None:
        """Open the part that starts here, and the mail in it when it is a message/rfc822 (RFC 2046 §5.2.1)."""
        depth = len(self._inside)
        self._parts += 1
        if self._parts > self._limits.parts:
            raise MimeTooComplex("it has more parts than anybody means to send")
        if depth > self._limits.depth:
            raise MimeTooComplex(f"its parts lie more than {self._limits.depth} deep in each other")
        # A boundary in the header ends it; it is looked for first, since `--a:b` would pass as a field.
        ending = self._next_line(start, min(len(self._raw), start + self._limits.header))
        stop = self._before_line_end(start, ending.start) if ending else len(self._raw)
        part = _part(self._raw, start, stop, depth, default_type)
        if depth:
            self._fields += len(part.headers.fields)
            if part.headers.end - start > self._limits.header or self._fields > self._limits.fields:
                raise MimeTooComplex("its parts have enormous headers")
        part.guess = self._guess
        if self._inside:
            self._inside[-1].children.append(part)
        self._inside.append(part)
        if part.content_type in ("message/rfc822", "message/global") and part.encoding in _UNENCODED:
            if part.body < stop:
                self._begin(part.body, "text/plain")
        elif boundary := _boundary(part):
            self._active.setdefault(boundary, part)

    def _before_line_end(self, begin: int, position: int) -> int:
        if position > begin and self._raw[position - 1] == 0x0A:
            position -= 1
            if position > begin and self._raw[position - 1] == 0x0D:
                position -= 1
        return position


def _boundary(part: Part) -> bytes:
    """What stands between its parts; empty when it is no multipart."""
    boundary = part.params.get("boundary", "") if part.content_type.startswith("multipart/") else ""
    return boundary.encode("utf-8", "replace")[:_LONGEST_BOUNDARY].rstrip(b" ")


def _part(raw: bytes, start: int, stop: int, depth: int, default_type: str) -> Part:
    headers = Headers.parse(raw, start, stop)
    content_type, params = decode_parameters(headers.get("content-type") or default_type)
    if "/" not in content_type:
        content_type = default_type
    disposition, more = decode_parameters(headers.get("content-disposition") or "")
    return Part(
        start, headers.body_offset, len(raw), headers, content_type, params, disposition,
        more.get("filename") or params.get("name", ""),
        (headers.get("content-transfer-encoding") or "7bit").partition(";")[0].strip().lower(), depth,
    )  # fmt: skip


def first_text(root: Part, content_type: str = "text/plain") -> Part | None:
    """The first part of this type that is not an attachment."""
    for part in root.walk():
        if part.content_type == content_type and part.disposition != "attachment" and not part.children:
            return part
    return None
