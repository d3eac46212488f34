"""Step: mails that only the prototype archiver has, because HyperKitty was not there yet, or is there no more.

Mails that HyperKitty has come with it. One that it lacks although it archived others of that list before and after
was most likely deleted there by somebody who meant it, so it is named and not brought back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from postroad.foundation.errors import PostroadError
from postroad.upgrade.changed_here import MAILS
from postroad.upgrade.hyperkitty.archives import Archives, lists_of
from postroad.upgrade.hyperkitty.originals import comparable, id_in
from postroad.upgrade.importing.on_disk import OnDisk
from postroad.upgrade.importing.plan import Batch, Item, Step, fingerprint_of
from postroad.upgrade.mailman3.installation import Installation
from postroad.upgrade.mailman3.messages import queue_file
from postroad.upgrade.mailman3.values import moment, text
from postroad.upgrade.mbox.mailboxes import time_in_name
from postroad.upgrade.mbox.model import LARGEST
from postroad.upgrade.mbox.steps import archive_understood
from postroad.upgrade.mbox.understanding import Raw, understand

_BY_HAND = "if it is wanted, `postroad import mbox LIST FOLDER --format maildir` brings what its folder has"
_DELETED = f"HyperKitty has mails from before and after it, but not this one: deleted there, most likely; {_BY_HAND}"
_TWIN = f"another mail has the same Message-ID, and that one is HyperKitty's; {_BY_HAND}"


@dataclass(slots=True)
class _Known:
    """When HyperKitty archived the first and the last mail of a list."""

    first: float = float("inf")
    last: float = 0.0


class Prototype:
    """The prototype archiver's Maildirs, one for each list."""

    def __init__(self, installation: Installation, archives: Archives | None) -> None:
        self._archives = archives
        self._root = installation.paths["archive_dir"] / "prototype"
        self._spool = installation.paths["archive_dir"] / "hyperkitty" / "spool"
        self._core, self._web = installation.core, installation.web

    def steps(self) -> tuple[Step, ...]:
        """The one step."""
        return (
            Step(
                "mails of the prototype",
                self._read,
                self._write,
                weigh=_weigh,
                fetch=self._fetch,
                prepare=understand,
                rows=MAILS,
            ),
        )

    @cached_property
    def _lists(self) -> dict[str, str]:
        """The list-id of each posting address, in the core or in HyperKitty."""
        found = {}
        for row in self._core.rows("mailinglist", ("id", "list_id", "list_name", "mail_host")):
            found[f"{text(row['list_name'])}@{text(row['mail_host'])}".lower()] = text(row["list_id"])
        for _, row in lists_of(self._web) if self._web else ():
            found.setdefault(row["address"], row["list_id"])
        return found

    @cached_property
    def _known(self) -> tuple[dict[str, _Known], OnDisk[tuple[str, str], None]]:
        """What HyperKitty has, by list-id, and list-id with Message-ID of each mail.

        Looked up when the first file is seen that no run has seen before.
        """
        found, ids = dict[str, _Known](), OnDisk[tuple[str, str], None]()
        lists = {key: row["list_id"] for key, row in lists_of(self._web)} if self._web else {}
        columns = ("id", "mailinglist_id", "message_id", "archived_date")
        for row in self._web.rows("hyperkitty_email", columns) if self._web else ():
            list_id = lists.get(row["mailinglist_id"], "")
            known = found.setdefault(list_id, _Known())
            ids[list_id, comparable(text(row["message_id"]))] = None
            at = moment(row["archived_date"])
            if at is not None:
                known.first, known.last = min(known.first, at.timestamp()), max(known.last, at.timestamp())
        return found, ids

    def _read(self) -> Iterator[Item]:
        for folder in sorted(self._root.glob("*")) if self._root.is_dir() else ():
            list_id = self._lists.get(folder.name.lower(), "")
            for file in sorted((*folder.glob("new/*"), *folder.glob("cur/*"))):
                key = f"{folder.name}/{file.name.partition(':')[0]}"
                yield Item(key[:500], (list_id, file), fingerprint=fingerprint_of(key))

    def _fetch(self, items: Sequence[Item]) -> None:
        """Make of each file the mail, or why it is not brought; empty if it comes another way."""
        for item in items:
            item.data = self._mail(*item.data)

    def _mail(self, list_id: str, file: Path) -> Raw | str:
        if not list_id:
            return "the list is gone, in Mailman too"
        if not file.is_file():
            return "it is no file"
        with file.open("rb") as opened:
            raw = opened.read(LARGEST)
        (lists, ids), message_id = self._known, id_in(raw)
        known = lists.get(list_id, _Known())
        arrived = time_in_name(file) or file.stat().st_mtime
        if (list_id, message_id) in ids and self._archives is not None:
            spot = self._archives.originals.find(list_id, message_id)
            return _TWIN if spot is not None and spot.file != file else ""
        if message_id in self._spooled:
            return ""
        if known.first < arrived < known.last:
            return _DELETED
        return Raw(list_id, raw, arrived, (), frozenset())

    @cached_property
    def _spooled(self) -> set[str]:
        """Message-IDs that wait for HyperKitty; they come with the cut-over."""
        found = set()
        for file in self._spool.glob("*.pck"):
            try:
                found.add(id_in(queue_file(file.read_bytes())[0]))
            except (PostroadError, OSError):
                continue  # The step of the spool names it.
        return found

    @staticmethod
    def _write(batch: Batch) -> None:
        for item in batch.items:
            if isinstance(item.data, str):
                if item.data:
                    batch.impossible(item, item.data)
                batch.done(item)
        archive_understood(batch)


def _weigh(items: Sequence[Item]) -> None:
    for item in items:
        file: Path = item.data[1]
        item.octets = min(file.stat().st_size, LARGEST)
