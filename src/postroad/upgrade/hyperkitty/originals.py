"""Mails as they came, where the old site kept them beside HyperKitty, which keeps only text and attachments.

Two places have them: the prototype archiver's Maildirs, and mailboxes of the time before. Each is looked through once;
what is known of a mail then is where it lies.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from postroad.foundation.message.headers import Headers
from postroad.upgrade.importing.on_disk import OnDisk
from postroad.upgrade.mbox.mailboxes import format_of, mails
from postroad.upgrade.mbox.model import Format, Found

LONGEST_ID = 254
"""Characters of a Message-ID that HyperKitty keeps."""
_JUNK = re.compile(r"[^\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a mail lies: a file of its own, or a place in a mailbox."""

    file: Path
    size: int
    """In octets."""
    form: Format | None = None
    at: int = 0

    def read(self) -> bytes | None:
        """The mail, or None if it is not there any more."""
        try:
            if self.form is None:
                return self.file.read_bytes()
            found = next(iter(mails(self.file, self.form, self.at)), None)
        except OSError:
            return None
        return found.raw if isinstance(found, Found) else None


class Originals:
    """Every mail that is kept as it came, by list and Message-ID."""

    def __init__(self, prototype: Path, mailboxes: Iterable[Path], names: dict[str, str]) -> None:
        """`names`: posting address → list-id of each list that is known."""
        self._spots = OnDisk[tuple[str, str], Spot]()
        # The prototype archiver's are the very bytes that were archived, so they go before mailboxes.
        for list_id, spot, raw in chain(_of_prototype(prototype, names), _of_mailboxes(mailboxes, names)):
            self._spots.setdefault((list_id, id_in(raw)), spot)

    def __len__(self) -> int:
        return len(self._spots)

    def find(self, list_id: str, message_id: str) -> Spot | None:
        """Where the mail that HyperKitty knows under this Message-ID lies."""
        wanted = comparable(message_id)
        return self._spots.get((list_id, wanted)) if wanted else None


def comparable(message_id: str) -> str:
    """A Message-ID as both sides have it: HyperKitty cut, stripped and cleaned it, differently in each release."""
    return _JUNK.sub("", message_id.strip().strip("<>"))[:LONGEST_ID].rstrip(">")


def id_in(raw: bytes) -> str:
    """The Message-ID of a mail in that form; empty without one."""
    return comparable(Headers.parse(raw).get("message-id") or "")


def _of_prototype(root: Path, names: dict[str, str]) -> Iterator[tuple[str, Spot, bytes]]:
    for folder in sorted(root.glob("*")) if root.is_dir() else ():
        list_id = names.get(folder.name.lower())
        if list_id is None:
            continue
        for file in sorted((*folder.glob("new/*"), *folder.glob("cur/*"))):
            if file.is_file():
                with file.open("rb") as opened:
                    yield list_id, Spot(file, file.stat().st_size), opened.read(100_000)


def _of_mailboxes(folders: Iterable[Path], names: dict[str, str]) -> Iterator[tuple[str, Spot, bytes]]:
    known = {**names, **{list_id: list_id for list_id in names.values()}}
    for folder in folders:
        for file in sorted(folder.rglob("*.mbox")):
            list_id = _list_of(file.name.removesuffix(".mbox").lower(), known)
            if list_id is None or not file.is_file():
                continue
            form = format_of(file)
            for piece in mails(file, form):
                if isinstance(piece, Found):
                    yield list_id, Spot(file, len(piece.raw), form, piece.at), piece.raw[:100_000]


def _list_of(name: str, known: dict[str, str]) -> str | None:
    """The list whose address, list-id or local part (if only one has it) the file is named for, or begins with."""
    fits = [key for key in known if name == key or name.startswith((f"{key}-", f"{key}_"))]
    if fits:
        return known[max(fits, key=len)]
    local = {known[key] for key in known if key.partition("@")[0] == name}
    return local.pop() if len(local) == 1 else None
