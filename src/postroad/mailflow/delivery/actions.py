"""What delivery writes: chunks of recipients, the relay's replies, retries, failures handed to bounces."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.db import connection, transaction

from postroad.community.lists.queries import list_of_mail
from postroad.community.notices import actions as notices
from postroad.community.subscriptions.tokens import return_path, today
from postroad.foundation.configuration import current
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.actions import Claimed, LeaseLost
from postroad.foundation.queue.envelope import Envelope, decode
from postroad.foundation.queue.gathering import gathering, update
from postroad.foundation.rows import marks
from postroad.foundation.storage import actions as storage
from postroad.mailflow.delivery.chunks import (
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

REFUSED = "The mail relay refuses a mail"
REFUSED_TEXT = """\
The mail relay refused this mail, whoever it was for; no member is blamed for it.

List: $list_id
Message-ID: <$message_id>
The relay said: $reply

The copies wait; once the cause is mended, send them with

    postroad queue retry --all
"""


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


def load_works(jobs: Sequence[Claimed]) -> dict[int, tuple[Work, bytes]]:
    """By job: its chunk, and the encoded template its copies are made from; two queries for all of them.

    One whose chunk or template is gone is left out.
    """
    chunks = [job.envelope.chunk for job in jobs]
    if not chunks:
        return {}
    wanted = marks(len(chunks))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, c.recipients, c.results, c.attempts, d.id, d.envelope, d.deliver_until, d.template"  # noqa: S608
            f" FROM delivery_chunk c JOIN delivery_dispatch d ON d.id = c.dispatch_id WHERE c.id IN ({wanted})",
            chunks,
        )
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    templates = storage.load_many({row[-1] for row in rows.values()})
    loaded = {}
    for job in jobs:
        if job.envelope.chunk not in rows:
            continue
        packed, results, attempts, dispatch, envelope, until, template = rows[job.envelope.chunk]
        recipients = unpack_recipients(bytes(packed))
        replies = unpack_results(bytes(results), len(recipients))
        if template in templates:
            work = Work(
                job, job.envelope.chunk, decode(envelope), recipients, replies, dispatch, until, attempts + 1
            )  # fmt: skip
            loaded[job.id] = work, templates[template]
    return loaded


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
    try:
        with transaction.atomic(), gathering():
            for work in works:
                _finish(work)
            queue.acknowledge(*(work.job for work in works))
    except LeaseLost:
        with transaction.atomic():
            note_replies([(work.chunk, work.replies) for work in works if not _finished_alone(work)])


def _finished_alone(work: Work) -> bool:
    """Complete one chunk, unless another host has it by now."""
    try:
        with transaction.atomic(), gathering():
            _finish(work)
            queue.acknowledge(work.job)
    except LeaseLost:
        log.warning("another host took over: %s", work.envelope.message_id)
        return False
    return True


def _finish(work: Work) -> None:
    replies = [work.results.get(index) or "" for index in range(len(work.recipients))]
    by_sort: dict[Sort, list[int]] = {"delivered": [], "temporary": [], "recipient": [], "mail": []}
    sorts = {reply: sort(reply) for reply in set(replies)}
    for index, reply in enumerate(replies):
        by_sort[sorts[reply]].append(index)
    if by_sort["temporary"] and time.time() >= work.deliver_until:
        by_sort["recipient"] += by_sort["temporary"]
        by_sort["temporary"] = []
    done = pack_results(work.results), True, work.chunk
    update("UPDATE delivery_chunk SET results=%s, done=%s WHERE id=%s", [done])
    if by_sort["temporary"]:
        _queue_retry(work, [work.recipients[i] for i in by_sort["temporary"]], replies[by_sort["temporary"][0]])
    if by_sort["mail"]:
        first = by_sort["mail"][0]
        _set_aside(work, [work.recipients[i] for i in by_sort["mail"]], replies[first])
    _report(work, [(work.recipients[i].email, replies[i]) for i in by_sort["recipient"]])
    queue.record(work.envelope, "delivery", *_told(by_sort, replies), str(work.chunk))


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


def _queue_retry(work: Work, recipients: list[Recipient], reply: str) -> None:
    chunk = Chunk.objects.create(dispatch_id=work.dispatch, recipients=pack_recipients(recipients), attempts=work.tries)
    mail = current().mail
    pause = min(mail.retry_most_seconds, mail.retry_first_seconds * 2 ** min(work.tries - 1, 20))
    due = min(time.time() + pause, max(time.time(), work.deliver_until))
    queue.put_rest(work.job, msgspec.structs.replace(work.job.envelope, chunk=chunk.pk), due, reply)


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
