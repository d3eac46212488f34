"""Archives mails: stored, threaded and indexed in one transaction, one mail or a whole old archive."""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context

from django.db import transaction

from postroad.community.lists.models import MailingList
from postroad.foundation.message.message_id import message_id_hash
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive import rows
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.reading import Reading, date_or, read, read_many
from postroad.mailflow.archive.search import index
from postroad.mailflow.archive.weaving import Comer

BATCH = 500
"""Mails of an old archive that go into one transaction."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail to be archived."""

    raw: bytes
    message_id: str
    received_at: float
    """Unix time; the mail's date when its own cannot be used."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A batch that is committed: how many mails it had, and how many of them were archived already."""

    read: int
    duplicates: int


def archive(mailing_list: MailingList, incoming: Incoming) -> Mail | None:
    """Archive one mail in the present transaction; None when the very same is there already.

    Another content under a Message-ID that is taken gets an id of its own, so that neither hides the other.
    """
    archived = _archive(mailing_list, [incoming], [read(incoming.raw)])
    return archived[0] if archived else None


def import_messages(mailing_list: MailingList, mails: Iterable[Incoming]) -> Iterator[Imported]:
    """Archive many mails, a transaction for each `BATCH` of them.

    Yields after each commit, so that the caller can note how far it came. What is archived already is passed over:
    an import that was stopped may begin anew. A few batches at a time are in memory, however many mails there are.
    """
    for batch, readings in _read_ahead(_batches(mails)):
        with transaction.atomic():
            archived = _archive(mailing_list, batch, readings)
        yield Imported(len(batch), len(batch) - len(archived))


def _batches(mails: Iterable[Incoming]) -> Iterator[list[Incoming]]:
    """Mails in batches, cut at a size in bytes too."""
    batch: list[Incoming] = []
    size = 0
    for mail in mails:
        batch.append(mail)
        size += len(mail.raw)
        if len(batch) == BATCH or size > 32_000_000:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read_ahead(batches: Iterator[list[Incoming]]) -> Iterator[tuple[list[Incoming], list[Reading]]]:
    """Batches with what was read of them; more than one is read in other processes while this one writes."""
    first = next(batches, [])
    second = next(batches, None)
    if second is None:
        yield first, read_many([mail.raw for mail in first])
        return
    helpers = os.cpu_count() or 1
    waiting: deque[tuple[list[Incoming], Future[list[Reading]]]] = deque()
    # Started anew, not forked: this process may hold a database connection and threads.
    with ProcessPoolExecutor(helpers, mp_context=get_context("spawn")) as pool:
        for batch in itertools.chain((first, second), batches):
            waiting.append((batch, pool.submit(read_many, [mail.raw for mail in batch])))
            if len(waiting) > helpers + 1:
                batch, future = waiting.popleft()
                yield batch, future.result()
        for batch, future in waiting:
            yield batch, future.result()


def _archive(mailing_list: MailingList, batch: Sequence[Incoming], readings: Sequence[Reading]) -> list[Mail]:
    """Store, thread and index mails in the present transaction; those that were new."""
    keys = storage.store_many(mail.raw for mail in batch)
    now = datetime.now(UTC)
    primary_keys = rows.reserve(Mail)
    new: list[tuple[Mail, Reading]] = []
    for incoming, message_id, key, reading in _new_ones(mailing_list, batch, keys, readings):
        row = _mail(mailing_list, incoming, message_id, key, reading, now)
        row.pk = next(primary_keys)
        new.append((row, reading))
    if not new:
        return []
    mails = [mail for mail, _ in new]
    hashes = {mail.message_id_hash for mail in mails}
    weave = rows.weave_around(mailing_list, hashes, {r for _, reading in new for r in reading.refers_to})
    for mail, reading in new:
        author = mail.sender_name or mail.sender_email
        weave.place(Comer(mail.pk, mail.message_id_hash, reading.refers_to, mail.subject, author, mail.date))
    rows.write(mailing_list, weave, mails)
    index.add([index.Row(mail.pk, mailing_list.pk, *reading.words) for mail, reading in new])
    return mails


def _new_ones(
    mailing_list: MailingList, batch: Sequence[Incoming], keys: Sequence[str], readings: Sequence[Reading]
) -> Iterator[tuple[Incoming, str, str, Reading]]:
    """The mails that are not archived yet, each with its Message-ID and the key of its bytes."""
    ids = [mail.message_id.replace("\0", "")[:900] for mail in batch]
    others = [f"{message_id}+{key[:16]}" for message_id, key in zip(ids, keys, strict=True)]
    there = rows.contents_by_hash(mailing_list, {message_id_hash(id_) for id_ in (*ids, *others)})
    for mail, message_id, other, key, reading in zip(batch, ids, others, keys, readings, strict=True):
        chosen = message_id
        content = there.get(message_id_hash(message_id))
        if content is not None and content != key:
            chosen, content = other, there.get(message_id_hash(other))
        if content is None:
            there[message_id_hash(chosen)] = key
            yield mail, chosen, key, reading


def _mail(
    mailing_list: MailingList, mail: Incoming, message_id: str, key: str, reading: Reading, now: datetime
) -> Mail:
    received = datetime.fromtimestamp(mail.received_at, tz=UTC)
    return Mail(
        mailing_list=mailing_list, message=key, message_id=message_id, message_id_hash=message_id_hash(message_id),
        subject=reading.subject, sender_name=reading.sender_name, sender_email=reading.sender_email,
        date=date_or(reading.date, received), archived_at=now, size=reading.size, preview=reading.preview,
        attachments=reading.attachments,
    )  # fmt: skip
