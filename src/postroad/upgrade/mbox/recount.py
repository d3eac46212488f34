"""The mails of a mailbox found a second time, for `verify`: the whole file is looked at, not read in pieces."""

import hashlib
import mmap
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from postroad.upgrade.mbox.model import LARGEST, Format

_FROM = re.compile(rb"^From [^\r\n]{0,1400}\r?\n", re.MULTILINE)
_TIME, _YEAR = re.compile(rb"\b\d{1,2}:\d\d(:\d\d)?\b"), re.compile(rb"\b(19|20)\d\d\b")
_FENCE = re.compile(rb"^\x01\x01\x01\x01\r?\n", re.MULTILINE)
_HEADER = re.compile(rb"(?:>From |[!-9;-~]{1,76}[ \t]{0,4}:)")
_EVERY_MAIL_HAS = re.compile(rb"(?mi)^(date|message-id|received|resent-date|x-list-received-date)[ \t]*:")
_EMPTY_LINE = re.compile(rb"\n[ \t]*\r?\n")
_LENGTH = re.compile(rb"(?mi)^content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r?$")
_HEADER_SIZE = 65_536
_QUOTED = {"mboxrd": re.compile(rb"^>(>*From )", re.MULTILINE), "mboxcl2": None}
_QUOTED_ONCE = re.compile(rb"^>(From )", re.MULTILINE)


def contents(path: Path, form: Format, kept: Callable[[bytes], bytes] = bytes) -> Iterator[tuple[int, str]]:
    """Where each mail begins, and the SHA-256 of it as its author's program sent it, or as it is `kept` here.

    In a Maildir a mail's place is its number in the order of arrival.
    """
    for at, mail in _mails(path, form):
        yield at, hashlib.sha256(kept(mail[:LARGEST])).hexdigest()


def _mails(path: Path, form: Format) -> Iterator[tuple[int, bytes]]:
    if form == "maildir":
        files = [file for part in ("cur", "new") for file in (path / part).glob("[!.]*")]
        for number, mail in enumerate(sorted(files, key=lambda f: (_arrival(f.name), f.name))):
            if mail.is_file() and not mail.is_symlink():
                yield number, mail.read_bytes()
        return
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield from _between_fences(data) if form == "mmdf" else _between_separators(data, form)


def _arrival(name: str) -> int:
    digits = name.partition(".")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 20 else 0


def _between_fences(data: mmap.mmap) -> Iterator[tuple[int, bytes]]:
    at = 0
    for begin, end in [*(match.span() for match in _FENCE.finditer(data)), (len(data), len(data))]:
        mail = data[at:begin]
        if mail.startswith(b"From "):
            mail = mail.partition(b"\n")[2]
        if _is_mail(mail, 0):
            yield at, mail
        at = end


def _between_separators(data: mmap.mmap, form: Format) -> Iterator[tuple[int, bytes]]:
    lines = list(_separators(data, form))
    first = lines[0][0] if lines else len(data)
    if first and _is_mail(data, 0):
        yield 0, data[:first]
    for (begin, text), (end, _) in pairwise([*lines, (len(data), 0)]):
        yield begin, _unquoted(data[text:end], form)


def _separators(data: mmap.mmap, form: Format) -> Iterator[tuple[int, int]]:
    """Lines that begin a mail: with a moment on them and a mail's header behind; a true Content-Length hides others."""
    hidden = 0
    for match in _FROM.finditer(data):
        if match.start() < hidden or not (_separates(data, match) if form != "mboxrd" else _has_moment(match)):
            continue
        yield match.span()
        if form != "mboxrd":
            hidden = _end_by_length(data, match.end())


def _separates(data: mmap.mmap, line: "re.Match[bytes]") -> bool:
    return _has_moment(line) and _is_mail(data, line.end())


def _has_moment(line: "re.Match[bytes]") -> bool:
    return bool(_TIME.search(line[0]) and _YEAR.search(line[0]))


def _end_by_length(data: mmap.mmap, begin: int) -> int:
    empty = _EMPTY_LINE.search(data, begin, begin + _HEADER_SIZE)
    told = _LENGTH.search(data, begin, empty.start()) if empty else None
    if empty is None or told is None or int(told[1]) > LARGEST:
        return 0
    end = empty.end() + int(told[1])
    if end > len(data):
        return 0
    after = end
    while data[after : after + 1] in (b"\r", b"\n"):
        after += 1
    following = _FROM.match(data, after)
    is_true = after == len(data) or (following is not None and _separates(data, following))
    return end if is_true else 0


def _is_mail(data: "mmap.mmap | bytes", at: int) -> bool:
    if not _HEADER.match(data, at):
        return False
    empty = _EMPTY_LINE.search(data, at, at + _HEADER_SIZE)
    return _EVERY_MAIL_HAS.search(data, at, empty.start() if empty else at + _HEADER_SIZE) is not None


def _unquoted(mail: bytes, form: Format) -> bytes:
    """Without the empty line before the next separator, and without the format's quoting."""
    if mail.endswith((b"\n\n", b"\n\r\n")):
        mail = mail[:-1] if mail.endswith(b"\n\n") else mail[:-2]
    quoted = _QUOTED.get(form, _QUOTED_ONCE)
    return quoted.sub(rb"\1", mail) if quoted else mail
