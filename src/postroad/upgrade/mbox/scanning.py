"""Finds the mails of an mbox file, one after the other, with the memory of one mail (RFC 4155; its many dialects).

A line that begins with `From ` separates two mails, and may as well be text that nobody quoted. It is believed when
it has a time and a year, and what follows looks like a mail's header: a date, an id or a trace field (RFC 5322 §3.6
asks for a date). Seen in practice: no empty line before it, `user at host` instead of an address, a zone or words
behind the year, CRLF in some mails only, a forwarded mail with its own separator inside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from postroad.upgrade.mbox.model import LARGEST, Format, Found, Noise

_CHUNK = 1 << 20
_LONGEST_HEADER = 1 << 16
"""Bytes after a separator that are looked at for a header."""
_SEPARATOR = re.compile(
    rb"From [^\r\n]{0,900}?\b\d{1,2}:\d\d(?::\d\d)?\b[^\r\n]{0,80}?\b(?:19|20)\d\d\b[^\r\n]{0,200}\r?\n"
)
_ODD_SEPARATOR = re.compile(
    rb"From [^\r\n]{0,900}?\b(?:19|20)\d\d\b[^\r\n]{0,80}?\b\d{1,2}:\d\d(?::\d\d)?\b[^\r\n]{0,200}\r?\n"
)
_FIELD = re.compile(rb"(?:>From |[!-9;-~]{1,76}[ \t]{0,4}:)")
_STAMP = re.compile(
    rb"^(?:date|message-id|received|resent-date|x-list-received-date)[ \t]*:", re.IGNORECASE | re.MULTILINE
)
_BLANK = re.compile(rb"\n[ \t]*\r?\n")  # It is found ten times as fast as with the CR that may stand before it.
_GAP = re.compile(rb"(?:\r?\n)+")
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_QUOTED_ONCE = re.compile(rb"^>From ", re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
FENCE = b"\x01\x01\x01\x01\n"
"""The line before and behind each mail of an MMDF file."""


@dataclass(slots=True)
class _Window:
    """The part of a file that is looked at. Of a piece that is too large the middle is let go."""

    file: BinaryIO
    at: int
    """Where in the file its first byte is."""
    data: bytearray
    is_quoted: bool = False
    """Every line of a mail that begins with From is quoted (mboxrd), so that one with a moment separates for sure."""
    cut: int = 0
    """Bytes of the middle that were let go."""
    is_all: bool = False

    def reach(self, size: int) -> None:
        """Have at least so many bytes, if the file has them."""
        while len(self.data) < size and not self.is_all:
            chunk = self.file.read(_CHUNK)
            self.data += chunk
            self.is_all = not chunk

    def drop(self, size: int) -> None:
        """Go on behind these bytes."""
        del self.data[:size]
        self.at += size + self.cut
        self.cut = 0

    def shorten(self) -> int:
        """Let the middle of a piece go that is larger than a mail may be; how much it was."""
        size = max(len(self.data) - LARGEST - _LONGEST_HEADER, 0)
        if size < LARGEST:
            return 0
        del self.data[LARGEST : LARGEST + size]
        self.cut += size
        return size


def scan(file: BinaryIO, form: Format, start: int = 0, number: int = 0) -> Iterator[Found | Noise]:
    """The mails of an open mbox or MMDF file from byte `start` on, which must be a mail's place or 0.

    `number` is that of the mail there, where reading was broken off.
    """
    file.seek(start)
    window = _Window(file, start, bytearray(), is_quoted=form == "mboxrd")
    return _scan_mmdf(window, number) if form == "mmdf" else _scan_mbox(window, form, number)


# --- mbox


def _scan_mbox(window: _Window, form: Format, number: int) -> Iterator[Found | Noise]:
    begins = _next_separator(window, 0)
    if begins != 0:
        piece, number = _without_separator(window, begins, number)
        if piece is not None:
            yield piece
    while begins >= 0:
        window.drop(begins)
        line = window.data.find(b"\n") + 1
        measured = 0 if window.is_quoted else _end_by_length(window, line)
        begins = _next_separator(window, max(measured, line))
        size = begins if begins >= 0 else len(window.data)
        mail = bytes(window.data[line:size])
        inner = _lines_like_separators(mail)
        yield Found(
            window.at, window.at + window.cut + size, _unquoted(_without_gap(mail)[:LARGEST], form),
            bytes(window.data[:line]).rstrip(), number, inner,
        )  # fmt: skip
        number += 1 + inner


def _lines_like_separators(text: bytes) -> int:
    return text.count(b"\nFrom ") + text.startswith(b"From ")


def _without_separator(window: _Window, begins: int, number: int) -> tuple[Found | Noise | None, int]:
    """What stands before the first separator: nothing, a mail, or noise; and the number of the first mail."""
    size = begins if begins >= 0 else len(window.data)
    text = bytes(window.data[:size])
    end = window.at + window.cut + size
    if not text.strip():
        return None, number
    after = number + _lines_like_separators(text)
    if _looks_like_mail(text):
        return Found(window.at, end, text[:LARGEST], b"", number), after
    return Noise(window.at, end, "no mail begins here"), after


def _next_separator(window: _Window, start: int) -> int:
    """Where the next separator that is believed begins, from `start` on; -1 at the end."""
    at = start
    while True:
        window.reach(at + _CHUNK)
        found = _line_from(window.data, b"From ", at)
        if found >= 0:
            window.reach(found + _LONGEST_HEADER)
            if _is_separator(window, found):
                return found
            at = found + 5
        elif window.is_all:
            return -1
        else:
            at = max(len(window.data) - 5, 1)
            at -= window.shorten()


def _line_from(data: bytearray, beginning: bytes, at: int) -> int:
    """Where the next line that begins so begins, from `at` on; -1 if there is none."""
    if at == 0 and data.startswith(beginning):
        return 0
    found = data.find(b"\n" + beginning, max(at - 1, 0))
    return found + 1 if found >= 0 else -1


def _is_separator(window: _Window, at: int) -> bool:
    line = _SEPARATOR.match(window.data, at) or _ODD_SEPARATOR.match(window.data, at)
    return line is not None and (window.is_quoted or _looks_like_mail(window.data, line.end()))


def _looks_like_mail(data: bytes | bytearray, at: int = 0) -> bool:
    """Whether a header begins here, with a field that every mail has."""
    if not _FIELD.match(data, at):
        return False
    end = _BLANK.search(data, at, at + _LONGEST_HEADER)
    return _STAMP.search(data, at, end.start() if end else at + _LONGEST_HEADER) is not None


def _end_by_length(window: _Window, line: int) -> int:
    """Where the mail ends by its own Content-Length, if that is true: a separator or the file's end follows."""
    window.reach(line + _LONGEST_HEADER)
    header = _BLANK.search(window.data, line, line + _LONGEST_HEADER)
    length = _LENGTH.search(window.data, line, header.start()) if header else None
    if header is None or length is None or int(length[1]) > LARGEST:
        return 0
    end = header.end() + int(length[1])
    window.reach(end + _LONGEST_HEADER)
    if end > len(window.data):
        return 0
    gap = _GAP.match(window.data, end)
    after = gap.end() if gap else end
    return end if after == len(window.data) or _is_separator(window, after) else 0


def _without_gap(mail: bytes) -> bytes:
    """A mail without the empty line that stands between it and the next separator."""
    for newline in (b"\r\n", b"\n"):
        if mail.endswith(b"\n" + newline):
            return mail[: -len(newline)]
    return mail


def _unquoted(mail: bytes, form: Format) -> bytes:
    """A mail with its own lines that begin with From."""
    if b"\n>" not in mail or form == "mboxcl2":
        return mail
    return _QUOTED.sub(rb"\1", mail) if form == "mboxrd" else _QUOTED_ONCE.sub(b"From ", mail)


# --- MMDF


def _scan_mmdf(window: _Window, number: int) -> Iterator[Found | Noise]:
    """Mails between lines of four Control-A."""
    while True:
        ends, after = _next_fence(window)
        text = bytes(window.data[:ends])
        if text.startswith(b"From "):
            separator, _, mail = text.partition(b"\n")
        else:
            separator, mail = b"", text
        place = window.at, window.at + window.cut + ends
        if _looks_like_mail(mail):
            yield Found(*place, mail[:LARGEST], separator.rstrip(), number)
            number += 1
        elif text.strip():
            yield Noise(*place, "no mail begins here")
        window.drop(after)
        if window.is_all and not window.data:
            return


def _next_fence(window: _Window) -> tuple[int, int]:
    """Where the next line of four Control-A, or the end, begins, and what is behind it."""
    at = 0
    while True:
        window.reach(at + _CHUNK)
        found = _line_from(window.data, FENCE, at)
        if found >= 0:
            return found, found + len(FENCE)
        if window.is_all:
            return len(window.data), len(window.data)
        at = max(len(window.data) - len(FENCE) - 1, 0)
        at -= window.shorten()
