"""Opens a mailbox of any format, tells which it is, and gives its mails in order."""

from collections.abc import Iterator
from pathlib import Path

from postroad.foundation.errors import BadInput, NotFound
from postroad.upgrade.mbox.model import LARGEST, Format, Found, Noise
from postroad.upgrade.mbox.scanning import FENCE, scan

_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04")


def format_of(path: Path) -> Format:
    """Which format a mailbox most likely has; the dialects of mbox look alike, so that is `mbox`.

    What `postroad export` wrote is mboxrd, and has the list's members beside it.

    Raises:
        NotFound: there is nothing.
        BadInput: a folder that is no Maildir, or a compressed file.
    """
    if path.is_dir():
        if (path / "cur").is_dir() or (path / "new").is_dir():
            return "maildir"
        raise BadInput(f"{path} is a folder, but no Maildir: it has neither `cur` nor `new` in it.")
    if not path.is_file():
        raise NotFound(f"There is no mailbox {path}.")
    with path.open("rb") as file:
        begin = file.read(len(FENCE))
    if begin.startswith(_COMPRESSED):
        raise BadInput(f"{path} is compressed; unpack it first (`gunzip`, `bunzip2`, `unxz`, `unzip`).")
    if begin == FENCE:
        return "mmdf"
    return "mboxrd" if path.with_name("members.jsonl").is_file() else "mbox"


def mails(path: Path, form: Format, start: int = 0, number: int = 0) -> Iterator[Found | Noise]:
    """The mails of a mailbox from place `start` on (an `at` of before), where the mail has this number."""
    if form == "maildir":
        yield from _maildir(path, start)
        return
    with path.open("rb") as file:
        yield from scan(file, form, start, number)


def _maildir(path: Path, start: int) -> Iterator[Found | Noise]:
    """Mails by the time in their file names, which begin with it (https://cr.yp.to/proto/maildir.html)."""
    files = [file for part in ("cur", "new") if (path / part).is_dir() for file in (path / part).iterdir()]
    ordered = sorted((file for file in files if not file.name.startswith(".")), key=lambda f: (time_in_name(f), f.name))
    for at, file in enumerate(ordered[start:], start):
        if not file.is_file() or file.is_symlink():
            yield Noise(at, at + 1, f"{file.name} is no file")
            continue
        with file.open("rb") as opened:
            yield Found(at, at + 1, opened.read(LARGEST), b"", at, name=file.name.partition(":")[0])


def time_in_name(file: Path) -> int:
    """When a mail was put into a Maildir, in seconds since 1970; 0 if its name does not say."""
    digits = file.name.partition(".")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 20 else 0
