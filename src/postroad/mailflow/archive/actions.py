"""Archives mails: stored, threaded and indexed in one transaction, one mail or a whole old archive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from postroad.community.lists.models import MailingList
from postroad.foundation.message.message_id import message_id_hash
from postroad.foundation.storage import actions as storage
from postroad.foundation.storage.packing import Packed
from postroad.mailflow.archive import rows
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.reading import Reading, date_or, read
from postroad.mailflow.archive.search import index
from postroad.mailflow.archive.weaving import Comer


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail to be archived."""

    raw: bytes | Packed
    """As it came, or packed already by who read it."""
    message_id: str
    received_at: float
    """Unix time; the mail's date when its own cannot be used."""
    key: str = ""
    """Where the bytes are stored, if they are already."""


def archive(mailing_list: MailingList, incoming: Incoming) -> Mail | None:
    """Archive one mail, as it came, in the present transaction; None when the very same is there already.

    Another content under a Message-ID that is taken gets an id of its own, so that neither hides the other.
    """
    assert isinstance(incoming.raw, bytes)  # Nobody has read it yet.
    placed = archive_many(mailing_list, [incoming], [read(incoming.raw)])[0]
    return Mail.objects.select_related("thread").get(pk=placed.mail) if placed.new else None


class Placed(NamedTuple):
    """Where a mail is in the archive."""

    mail: int
    """Key of its row."""
    new: rows.NewMail | None
    """The row itself, if it was not there before."""


def archive_many(mailing_list: MailingList, mails: Sequence[Incoming], readings: Sequence[Reading]) -> Sequence[Placed]:
    """Archive mails of a list in the present transaction, by a few queries for all of them.

    `readings` is what `reading.read` said of each; it needs no database and may be made in other processes.
    What is there already is passed over, so that an import that was stopped may begin anew.
    """
    stored = iter(storage.store_many(mail.raw for mail in mails if not mail.key))
    keys = [mail.key or next(stored) for mail in mails]
    primary_keys = rows.reserve(Mail)
    ids, there = _ids(mailing_list, mails, keys)
    new: list[tuple[rows.NewMail, Reading]] = []
    places: list[Placed] = []
    for incoming, key, (message_id, hash_), reading in zip(mails, keys, ids, readings, strict=True):
        row = None
        if hash_ not in there:
            row = _row(next(primary_keys), incoming, message_id, hash_, key, reading)
            there[hash_] = key, row.pk
            new.append((row, reading))
        places.append(Placed(there[hash_][1], row))
    if new:
        _place(mailing_list, new)
    return places


def _ids(
    mailing_list: MailingList, batch: Sequence[Incoming], keys: Sequence[str]
) -> tuple[list[tuple[str, str]], dict[str, tuple[str, int]]]:
    """The Message-ID of each mail and its hash, and which of the hashes are archived already.

    A mail whose id another content has gets one made of both.
    """
    own = [mail.message_id.replace("\0", "")[:900] for mail in batch]
    ids = [(message_id, message_id_hash(message_id)) for message_id in own]
    there = rows.places_by_hash(mailing_list, {hash_ for _, hash_ in ids})
    holders = {hash_: key for hash_, (key, _) in there.items()}
    others: set[str] = set()
    for at, ((message_id, hash_), key) in enumerate(zip(ids, keys, strict=True)):
        if holders.setdefault(hash_, key) != key:
            other = f"{message_id}+{key[:16]}"
            ids[at] = other, message_id_hash(other)
            others.add(ids[at][1])
    return ids, there | rows.places_by_hash(mailing_list, others)


def _place(mailing_list: MailingList, new: Sequence[tuple[rows.NewMail, Reading]]) -> None:
    """Weave new mails into their conversations, and index them."""
    mails = [mail for mail, _ in new]
    hashes = {mail.message_id_hash for mail in mails}
    weave = rows.weave_around(mailing_list, hashes, {r for _, reading in new for r in reading.refers_to})
    for mail, reading in new:
        author = mail.sender_name or mail.sender_email
        weave.place(Comer(mail.pk, mail.message_id_hash, reading.refers_to, mail.subject, author, mail.date))
    rows.write(mailing_list, weave, mails)
    index.add([index.Row(mail.pk, mailing_list.pk, *reading.words) for mail, reading in new])


def _row(pk: int, mail: Incoming, message_id: str, hash_: str, key: str, reading: Reading) -> rows.NewMail:
    received = datetime.fromtimestamp(mail.received_at, tz=UTC)
    return rows.NewMail(
        pk, key, message_id, hash_, reading.subject, reading.sender_name, reading.sender_email,
        date_or(reading.date, received), reading.size, reading.preview, reading.attachments,
    )  # fmt: skip
