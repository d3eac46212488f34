"""What delivery writes: chunks of recipients, the relay's replies, retries, failures handed to bounces."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.db import InterfaceError, OperationalError, transaction

from postroad.community.lists.queries import list_of_mail
from postroad.community.notices import actions as notices
from postroad.community.subscriptions.queries import recipients as members_to_send_to
from postroad.community.subscriptions.tokens import return_path, today
from postroad.foundation.configuration import current
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.actions import Claimed, LeaseLost
from postroad.foundation.queue.envelope import Envelope, decode, encode
from postroad.foundation.storage import actions as storage
from postroad.mailflow.delivery.chunks import (
    CHUNK_SIZE,
    Recipient,
    Replies,
    Results,
    pack_recipients,
    pack_results,
    unpack_recipients,
    unpack_results,
)
from postroad.mailflow.delivery.models import Chunk, Dispatch
from postroad.mailflow.delivery.reports import MOST_IN_A_REPORT, failure_report
from postroad.mailflow.delivery.sorting import Sort, sort

log = logging.getLogger("postroad.delivery")

CHUNKS_IN_A_CUT = 8
"""Chunks cut in one transaction: a list of a million is cut while the first copies are on their way."""
DAY = 86_400.0
REFUSED = "The mail relay refuses a mail"
REFUSED_TEXT = """\
The mail relay refused this mail, whoever it was for; no member is blamed for it.

List: $list_id
Message-ID: <$message_id>
The relay said: $reply

The copies wait; once the cause is mended, send them with

    postroad queue retry --all
"""
DATABASE_AWAY = (OperationalError, InterfaceError)


@dataclass(slots=True)
class Work:
    """A chunk in memory: its job, its recipients, and the replies so far."""

    job: Claimed
    chunk: int
    envelope: Envelope
    recipients: list[Recipient]
    results: Results
    dispatch: int
    deliver_until: float
    tries: int = 1
    left: int = 0

    def __post_init__(self) -> None:
        self.left = sum(1 for number in self.results.of if number < 0)

    @property
    def replies(self) -> dict[int, str]:
        """What was replied so far, by index of the recipient."""
        return {index: self.results.replies[number] for index, number in enumerate(self.results.of) if number >= 0}


def begin(jobs: Sequence[Claimed]) -> list[tuple[Claimed, Exception]]:
    """Cut what has no chunks yet, or not all, in one transaction; the jobs that failed, each with what went wrong."""
    failed: list[tuple[Claimed, Exception]] = []
    with transaction.atomic():
        for job in jobs:
            try:
                with transaction.atomic():
                    (go_on_cutting if job.envelope.dispatch else open_dispatch)(job)
            except DATABASE_AWAY:
                raise
            except Exception as error:  # noqa: BLE001 - its neighbours go on
                failed.append((job, error))
    return failed


def open_dispatch(job: Claimed) -> None:
    """Begin to deliver a prepared mail: note it and cut its first chunks, in the present transaction."""
    e = job.envelope
    now = time.time()
    cut = _next_recipients(e, e, 0)
    dispatch = Dispatch.objects.create(
        journey=e.journey, list_id=e.list_id, message_id=e.message_id[:998], template=e.template, envelope=encode(e),
        created_at=now, deliver_until=now + current().mail.delivery_retry_days * DAY, cursor=cut.cursor,
        recipients_total=cut.recipients, all_cut=not cut.more,
    )  # fmt: skip
    _queue_chunks(dispatch, e, cut)
    queue.acknowledge(job)


def go_on_cutting(job: Claimed) -> None:
    """Cut the next chunks of a big list, in the present transaction."""
    dispatch = Dispatch.objects.get(pk=job.envelope.dispatch)
    cut = _next_recipients(job.envelope, decode(bytes(dispatch.envelope)), dispatch.cursor)
    dispatch.cursor, dispatch.all_cut = cut.cursor, not cut.more
    dispatch.recipients_total += cut.recipients
    dispatch.save(update_fields=["cursor", "all_cut", "recipients_total"])
    _queue_chunks(dispatch, job.envelope, cut)
    queue.acknowledge(job)


def _queue_chunks(dispatch: Dispatch, envelope: Envelope, cut: "Cut") -> None:
    """Make the chunks and their jobs; when members are left, a job to go on behind them."""
    chunks = Chunk.objects.bulk_create(
        Chunk(dispatch=dispatch, recipients=pack_recipients(group)) for group in cut.groups
    )
    replace = msgspec.structs.replace
    # Only the keys travel: what the chunk needs stands once, in the dispatch.
    slim = replace(envelope, recipients=(), explicit=(), rule_hits=(), rule_misses=(), dispatch=dispatch.pk)
    queue.put_many("delivery", [replace(slim, chunk=chunk.pk) for chunk in chunks])
    if cut.more:
        queue.put("delivery", replace(slim, chunk=0))
    elif dispatch.recipients_total == 0:
        queue.record(envelope, "delivery", "no recipients", "nobody is to get it")


class Cut(NamedTuple):
    """Recipients cut from a list at a time: up to which member, and whether there may be more."""

    groups: list[list[Recipient]]
    cursor: int = 0
    more: bool = False

    @property
    def recipients(self) -> int:
        """How many there are."""
        return sum(map(len, self.groups))


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


def load_work(job: Claimed) -> tuple[Work, bytes]:
    """The chunk of a claimed job, and the encoded template its copies are made from.

    Raises:
        NotFound: the template is gone from storage.
    """
    chunk = Chunk.objects.select_related("dispatch").get(pk=job.envelope.chunk)
    dispatch = chunk.dispatch
    recipients = unpack_recipients(bytes(chunk.recipients))
    results = unpack_results(bytes(chunk.results), len(recipients))
    work = Work(
        job, chunk.pk, decode(bytes(dispatch.envelope)), recipients, results, dispatch.pk, dispatch.deliver_until,
        chunk.attempts + 1,
    )  # fmt: skip
    return work, storage.load(dispatch.template)


def note_replies(progress: Iterable[tuple[int, Replies]]) -> None:
    """Take over replies to chunks that are not done: what the journal says, or what came before a pause."""
    by_chunk = {chunk: replies for chunk, replies in progress if replies}
    with transaction.atomic():
        for chunk in Chunk.objects.filter(pk__in=by_chunk, done=False):
            results = unpack_results(bytes(chunk.results), len(unpack_recipients(bytes(chunk.recipients))))
            for index, reply in by_chunk[chunk.pk].items():
                results.set(index, reply)
            chunk.results = pack_results(results)
            chunk.save(update_fields=["results"])


def finish(works: Sequence[Work]) -> None:
    """Complete chunks: keep the replies, queue what is to be retried or reported; one commit.

    A chunk that another host took over meanwhile keeps what was replied here, so that nobody gets it once more.
    """
    taken_over = []
    with transaction.atomic():
        for work in works:
            try:
                with transaction.atomic():
                    _finish(work)
            except LeaseLost:
                log.warning("another host took over: %s", work.envelope.message_id)
                taken_over.append((work.chunk, work.replies))
        if taken_over:
            note_replies(taken_over)


def _finish(work: Work) -> None:
    replies = [work.results.get(index) or "" for index in range(len(work.recipients))]
    by_sort: dict[Sort, list[int]] = {"delivered": [], "temporary": [], "recipient": [], "mail": []}
    sorts = {reply: sort(reply) for reply in set(replies)}
    for index, reply in enumerate(replies):
        by_sort[sorts[reply]].append(index)
    if by_sort["temporary"] and time.time() >= work.deliver_until:
        by_sort["recipient"] += by_sort["temporary"]
        by_sort["temporary"] = []
    Chunk.objects.filter(pk=work.chunk).update(results=pack_results(work.results), done=True)
    if by_sort["temporary"]:
        _queue_retry(work, [work.recipients[i] for i in by_sort["temporary"]])
    if by_sort["mail"]:
        first = by_sort["mail"][0]
        _set_aside(work, [work.recipients[i] for i in by_sort["mail"]], replies[first])
    _report(work, [(work.recipients[i].email, replies[i]) for i in by_sort["recipient"]])
    queue.record(work.envelope, "delivery", *_told(by_sort, replies), str(work.chunk))
    queue.acknowledge(work.job)


def _told(by_sort: Mapping[Sort, Sequence[int]], replies: Sequence[str]) -> tuple[str, str]:
    """Outcome and reason for the mail's journey."""
    said = {"temporary": "to be tried again", "recipient": "failed", "mail": "refused as a mail and set aside"}
    parts = [f"{len(by_sort['delivered'])} delivered"]
    for name, places in by_sort.items():
        if places and name in said:
            parts.append(f"{len(places)} {said[name]}: {replies[places[0]]}")
    if len(by_sort["delivered"]) == len(replies):
        return "sent", parts[0]
    if by_sort["delivered"]:
        return "partly sent", "; ".join(parts)
    return "put off" if by_sort["temporary"] else "failed", "; ".join(parts[1:])


def _queue_retry(work: Work, recipients: list[Recipient]) -> None:
    chunk = Chunk.objects.create(dispatch_id=work.dispatch, recipients=pack_recipients(recipients), attempts=work.tries)
    mail = current().mail
    pause = min(mail.retry_most_seconds, mail.retry_first_seconds * 2 ** min(work.tries - 1, 20))
    due = min(time.time() + pause, max(time.time(), work.deliver_until))
    queue.put("delivery", msgspec.structs.replace(work.job.envelope, chunk=chunk.pk), due_at=due)


def _set_aside(work: Work, recipients: list[Recipient], reply: str) -> None:
    """The relay refused the mail itself, no member's fault: it is kept for a retry, and the site's owner told once."""
    chunk = Chunk.objects.create(dispatch_id=work.dispatch, recipients=pack_recipients(recipients))
    queue.set_aside("delivery", msgspec.structs.replace(work.job.envelope, chunk=chunk.pk), reply)
    is_first = Dispatch.objects.filter(pk=work.dispatch, refusal="").update(refusal=reply[:500])
    if is_first and work.envelope.kind != "notice":
        values = {
            "list_id": work.envelope.list_id or "-", "message_id": work.envelope.message_id, "reply": reply,
        }  # fmt: skip
        notices.tell_site_owner(Path(__file__).parent, REFUSED, REFUSED_TEXT, values)


def give_up(work: Work, reason: str) -> None:
    """The relay was away until the mail's time was over: it waits, quarantined, for a person."""
    with transaction.atomic():
        note_replies([(work.chunk, work.replies)])
        queue.quarantine(work.job, f"not delivered in {current().mail.delivery_retry_days:g} days: {reason}")


def put_off(work: Work, seconds: float, reason: str) -> None:
    """Keep the replies that came and try the other recipients later; without a reason, that is no attempt."""
    with transaction.atomic():
        note_replies([(work.chunk, work.replies)])
        queue.put_off(work.job, seconds, reason)


def _report(work: Work, failures: Sequence[tuple[str, str]]) -> None:
    """Give permanent failures to the bounces stage, as the reports they would have come back as."""
    if not failures:
        return
    envelope = work.envelope
    mailing_list = list_of_mail(envelope.list_id)
    back_to = envelope.envelope_sender or current().site.owner
    if mailing_list is not None and not envelope.envelope_sender:
        # As if the receiver had sent it: keyed, since our own dialogue proves it.
        back_to = return_path(mailing_list.address("bounces"), mailing_list.pk, "", today())
    for start in range(0, len(failures), MOST_IN_A_REPORT):
        report = failure_report(back_to, failures[start : start + MOST_IN_A_REPORT], envelope.message_id)
        queue.put(
            "bounces",
            msgspec.structs.replace(
                envelope, message=storage.store(report), kind="bounces", sender="", recipient=back_to,
                size=len(report), recipients=(), explicit=(), dispatch=0, chunk=0, template="",
            ),
        )  # fmt: skip
