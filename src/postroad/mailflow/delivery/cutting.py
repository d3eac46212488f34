"""Cuts the recipients of a prepared mail into chunks: some at once, those of a big list while the first are sent."""

import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from django.db import InterfaceError, OperationalError, connection, transaction

from postroad.community.lists.queries import list_of_mail
from postroad.community.subscriptions.queries import recipients as members_to_send_to
from postroad.foundation.configuration import current
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.actions import Claimed
from postroad.foundation.queue.envelope import Envelope, decode, encode
from postroad.foundation.queue.gathering import gathering
from postroad.foundation.queue.worker import LONGEST_TRANSACTION
from postroad.mailflow.delivery.chunks import CHUNK_SIZE, Recipient, pack_recipients
from postroad.mailflow.delivery.models import Dispatch

CHUNKS_IN_A_CUT = 8
"""Chunks cut in one transaction: a list of a million is cut while the first copies are on their way."""
DAY = 86_400.0
DATABASE_AWAY = (OperationalError, InterfaceError)

replace = msgspec.structs.replace


class Begun(NamedTuple):
    """What became of jobs that asked for chunks."""

    held: list[Claimed]
    """Each goes on as the job of its first chunk, and is still in our hands."""
    failed: list[tuple[Claimed, Exception]]


class Cut(NamedTuple):
    """Recipients cut from a list at a time: up to which member, and whether there may be more."""

    groups: list[list[Recipient]]
    cursor: int = 0
    more: bool = False

    @property
    def recipients(self) -> int:
        """How many there are."""
        return sum(map(len, self.groups))


def begin(jobs: deque[Claimed]) -> Begun:
    """Cut for as many of these jobs as one transaction's time allows, and take them from the line.

    They are done together; when one fails, each is done once more by itself.
    """
    taken: list[Claimed] = []
    held: list[Claimed] = []
    try:
        with transaction.atomic(), gathering():
            end = time.monotonic() + LONGEST_TRANSACTION
            while jobs and (not taken or time.monotonic() < end):
                taken.append(jobs.popleft())
                held += cut(taken[-1])
    except DATABASE_AWAY:
        jobs.extendleft(reversed(taken))
        raise
    except Exception:  # noqa: BLE001 - whichever it was will fail again, and is told then
        return _singly(taken)
    return Begun(held, [])


def _singly(jobs: Sequence[Claimed]) -> Begun:
    begun = Begun([], [])
    with transaction.atomic():
        for job in jobs:
            try:
                with transaction.atomic(), gathering():
                    held = cut(job)
            except DATABASE_AWAY:
                raise
            except Exception as error:  # noqa: BLE001 - its neighbours go on
                begun.failed.append((job, error))
            else:
                begun.held.extend(held)
    return begun


def cut(job: Claimed) -> list[Claimed]:
    """Cut chunks of a mail that begins, or the next ones of a big list, in the present transaction.

    The job becomes that of the first chunk; it is gone when nobody is left to get the mail.
    """
    e = job.envelope
    dispatch, part, before = _go_on(e) if e.dispatch else _open(e)
    # Only the keys travel: what the chunk needs stands once, in the dispatch.
    slim = replace(e, recipients=(), explicit=(), rule_hits=(), rule_misses=(), dispatch=dispatch)
    chunks = [_insert_chunk(dispatch, group) for group in part.groups]
    later = [replace(slim, chunk=chunk) for chunk in chunks[1:]] + [replace(slim, chunk=0)] * part.more
    if later:
        queue.put_many("delivery", later)
    if chunks:
        return [queue.go_on(job, replace(slim, chunk=chunks[0]))]
    if not (before or part.more):
        queue.record(e, "delivery", "no recipients", "nobody is to get it")
    queue.acknowledge(job)
    return []


def _open(e: Envelope) -> tuple[int, Cut, int]:
    """Note a mail whose delivery begins; its key, its first recipients, and that there were none before."""
    now = time.time()
    part = _next_recipients(e, e, 0)
    row = (
        e.journey, e.list_id, e.message_id[:998], e.template, encode(e), part.cursor, not part.more, part.recipients,
        now, now + current().mail.delivery_retry_days * DAY, "",
    )  # fmt: skip
    return _insert(
        "INSERT INTO delivery_dispatch (journey, list_id, message_id, template, envelope, cursor, all_cut,"
        " recipients_total, created_at, deliver_until, refusal)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        row,
    ), part, 0  # fmt: skip


def _go_on(e: Envelope) -> tuple[int, Cut, int]:
    """Cut a big list further; the key of its mail, the next recipients, and how many there were before."""
    dispatch = Dispatch.objects.get(pk=e.dispatch)
    part = _next_recipients(e, decode(bytes(dispatch.envelope)), dispatch.cursor)
    before = dispatch.recipients_total
    dispatch.cursor, dispatch.all_cut = part.cursor, not part.more
    dispatch.recipients_total += part.recipients
    dispatch.save(update_fields=["cursor", "all_cut", "recipients_total"])
    return dispatch.pk, part, before


def _insert_chunk(dispatch: int, group: Sequence[Recipient]) -> int:
    return _insert(
        "INSERT INTO delivery_chunk (dispatch_id, recipients, results, done, attempts)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (dispatch, pack_recipients(group), b"", False, 0),
    )


def _insert(statement: str, row: tuple[str | bytes | float, ...]) -> int:
    """Write a row; its key. Django's models take longer over one than the rest of a cut."""
    with connection.cursor() as cursor:
        cursor.execute(statement, row)
        key: int = cursor.fetchone()[0]
    return key


def _next_recipients(envelope: Envelope, original: Envelope, cursor: int) -> Cut:
    if original.recipients:
        fixed = [Recipient(0, email) for email in original.recipients]
        return Cut([fixed[i : i + CHUNK_SIZE] for i in range(0, len(fixed), CHUNK_SIZE)])
    mailing_list = list_of_mail(envelope.list_id)
    groups: list[list[Recipient]] = []
    while mailing_list is not None and len(groups) < CHUNKS_IN_A_CUT:
        rows = members_to_send_to(
            mailing_list.pk, cursor, CHUNK_SIZE, original.author, original.explicit, digest=original.digest
        )
        if rows:
            groups.append([Recipient(row.member_id, row.email, row.display_name, row.copied) for row in rows])
            cursor = rows[-1].member_id
        if len(rows) < CHUNK_SIZE:
            return Cut(groups, cursor)
    return Cut(groups, cursor, more=mailing_list is not None)
