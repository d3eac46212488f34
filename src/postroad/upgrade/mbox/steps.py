"""The step that archives mailboxes: read here, understood in other processes, written in batches."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from postroad.community.lists.models import MailingList
from postroad.mailflow.archive import actions as archive
from postroad.mailflow.archive.models import OldAddress
from postroad.upgrade.changed_here import MAILS
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mbox.mailboxes import mails
from postroad.upgrade.mbox.model import Format, Found, Noise
from postroad.upgrade.mbox.understanding import Raw, Understood, arrival, understand


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An old mailbox, and where its mails go."""

    name: str
    """Names it in the report and in keys."""
    path: Path
    form: Format
    list_id: str
    is_pipermail: bool = False
    """Its mails had numbers on pipermail's pages, by their order."""
    attachment_folders: Collection[str] = field(default=frozenset())
    """Names of folders in which pipermail kept attachments; each is made of a Message-ID."""


def source_name(list_id: str, files: Sequence[Path]) -> str:
    """What the same mailboxes of a list are known as in every run."""
    paths = ", ".join(str(path.resolve()) for path in files)
    return f"mailboxes of {list_id}: {paths if len(paths) < 300 else hashlib.sha256(paths.encode()).hexdigest()}"


def mails_step(mailboxes: Sequence[Mailbox], kind: str = "mails") -> Step:
    """Archive all mails of these mailboxes; a piece that is no mail is told and passed over."""
    return Step(kind, lambda: _items(mailboxes), _write, prepare=understand, rows=MAILS, lasting=True)


def _items(mailboxes: Sequence[Mailbox]) -> Iterator[Item]:
    for box in mailboxes:
        arrived = box.path.stat().st_mtime
        for piece in mails(box.path, box.form):
            key = f"{box.name}@{piece.at}"
            if isinstance(piece, Noise):
                yield Item(key, piece, f"{box.name}, bytes {piece.at:,} to {piece.end:,}", 1)
                continue
            arrived = arrival(piece.separator) or arrived
            yield Item(
                key, _raw(box, piece, arrived), f"{box.name} at byte {piece.at:,}", _fingerprint(piece.raw),
                octets=len(piece.raw),
            )  # fmt: skip


def _raw(box: Mailbox, piece: Found, arrived: float) -> Raw:
    numbers = range(piece.number, piece.number + 1 + piece.inner) if box.is_pipermail else ()
    addresses = tuple(f"{number:06}.html" for number in numbers)
    return Raw(box.list_id, piece.raw, arrived, addresses, box.attachment_folders)


def _fingerprint(raw: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big", signed=True) or 1


def _write(batch: Batch) -> None:
    for item in batch.items:
        if isinstance(item.data, Noise):
            batch.impossible(item, item.data.why)
    archive_understood(batch)


def archive_understood(batch: Batch) -> None:
    """Archive what of a batch was understood to be a mail, each in its list."""
    by_list: dict[str, list[Item]] = {}
    for item in batch.items:
        if isinstance(item.data, Understood):
            by_list.setdefault(item.data.list_id, []).append(item)
    for list_id, items in by_list.items():
        _archive(batch, MailingList.objects.get(list_id=list_id), items)


def _archive(batch: Batch, mailing_list: MailingList, items: Sequence[Item]) -> None:
    understood: list[Understood] = [item.data for item in items]
    incoming = [archive.Incoming(mail.content, mail.message_id, mail.received_at) for mail in understood]
    places = archive.archive_many(mailing_list, incoming, [mail.reading for mail in understood])
    old: dict[str, int] = {}
    for item, mail, place in zip(items, understood, places, strict=True):
        batch.done(item, place.mail)
        for remark in mail.remarks:
            batch.mapped(item, remark)
        old |= dict.fromkeys(mail.addresses, place.mail)
    keep_old_addresses(mailing_list, old)


def keep_old_addresses(mailing_list: MailingList, mails_by_path: Mapping[str, int]) -> None:
    """Note where mails stood in an old archive; a path that is known already is corrected."""
    OldAddress.objects.bulk_create(
        [OldAddress(mailing_list=mailing_list, path=path, mail_id=mail) for path, mail in mails_by_path.items()],
        update_conflicts=True, unique_fields=["mailing_list", "path"], update_fields=["mail"],
    )  # fmt: skip
