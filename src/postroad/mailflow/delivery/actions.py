"""What delivery writes: chunks of recipients, the relay's replies, retries, failures handed to bounces."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from django.db import transaction

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.queries import recipients as members_to_send_to
from postroad.community.subscriptions.tokens import return_path, today
from postroad.foundation.configuration import current
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.actions import Claimed
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
from postroad.mailflow.delivery.reports import failure_report

CHUNKS_IN_A_CUT = 8
"""Chunks cut in one transaction: a list of a million is cut while the first copies are on their way."""
DAY = 86_400.0


@dataclass(slots=True)
class Work:
    """A chunk in memory: its job, its recipients, and the replies so far."""

    job: Claimed
    chunk: int
    envelope: Envelope
    recipients: list[Recipient]
    results: Results
    left: int = 0

    def __post_init__(self) -> None:
        self.left = sum(1 for number in self.results.of if number < 0)


def open_dispatch(job: Claimed) -> None:
    """Begin to deliver a prepared mail: note it and cut its first chunks, in one transaction."""
    e = job.envelope
    now = time.time()
    with transaction.atomic():
        dispatch = Dispatch.objects.create(
            journey=e.journey, list_id=e.list_id, message_id=e.message_id[:998], template=e.template,
            envelope=encode(e), created_at=now, deliver_until=now + current().mail.delivery_retry_days * DAY,
        )  # fmt: skip
        _cut(dispatch, e)
        queue.acknowledge(job)


def go_on_cutting(job: Claimed) -> None:
    """Cut the next chunks of a big list, in one transaction."""
    with transaction.atomic():
        dispatch = Dispatch.objects.get(pk=job.envelope.dispatch)
        _cut(dispatch, job.envelope)
        queue.acknowledge(job)


def _cut(dispatch: Dispatch, envelope: Envelope) -> None:
    """Make the next chunks and their jobs; when members are left, a job to go on behind them."""
    groups, dispatch.cursor, more = _next_recipients(dispatch, envelope)
    chunks = Chunk.objects.bulk_create(Chunk(dispatch=dispatch, recipients=pack_recipients(group)) for group in groups)
    dispatch.recipients_total += sum(map(len, groups))
    dispatch.all_cut = not more
    dispatch.save()
    replace = msgspec.structs.replace
    # Only the keys travel: what the chunk needs stands once, in the dispatch.
    slim = replace(envelope, recipients=(), explicit=(), rule_hits=(), rule_misses=(), dispatch=dispatch.pk)
    queue.put_many("delivery", [replace(slim, chunk=chunk.pk) for chunk in chunks])
    if more:
        queue.put("delivery", replace(slim, chunk=0))
    if not more and dispatch.recipients_total == 0:
        queue.record(envelope, "delivery", "no recipients", "nobody is to get it")


def _next_recipients(dispatch: Dispatch, envelope: Envelope) -> tuple[list[list[Recipient]], int, bool]:
    original = decode(bytes(dispatch.envelope))
    if original.recipients:
        fixed = [Recipient(0, email) for email in original.recipients]
        return [fixed[i : i + CHUNK_SIZE] for i in range(0, len(fixed), CHUNK_SIZE)], 0, False
    mailing_list = MailingList.objects.filter(list_id=envelope.list_id).values_list("pk", flat=True).first()
    if mailing_list is None:
        return [], 0, False
    groups: list[list[Recipient]] = []
    cursor = dispatch.cursor
    while len(groups) < CHUNKS_IN_A_CUT:
        rows = members_to_send_to(mailing_list, cursor, CHUNK_SIZE, original.author, original.explicit)
        if not rows:
            return groups, cursor, False
        groups.append([Recipient(row.member_id, row.email, row.display_name, row.copied) for row in rows])
        cursor = rows[-1].member_id
        if len(rows) < CHUNK_SIZE:
            return groups, cursor, False
    return groups, cursor, True


def load_work(jobs: Sequence[Claimed]) -> tuple[list[Work], dict[int, Dispatch]]:
    """The chunks of claimed jobs and their dispatches, by two queries."""
    chunks = Chunk.objects.in_bulk([job.envelope.chunk for job in jobs])
    dispatches = Dispatch.objects.in_bulk({chunk.dispatch_id for chunk in chunks.values()})
    work = []
    for job in jobs:
        chunk = chunks[job.envelope.chunk]
        recipients = unpack_recipients(bytes(chunk.recipients))
        results = unpack_results(bytes(chunk.results), len(recipients))
        work.append(Work(job, chunk.pk, decode(bytes(dispatches[chunk.dispatch_id].envelope)), recipients, results))
    return work, dispatches


def load_templates(dispatches: Iterable[Dispatch]) -> dict[int, bytes]:
    """The encoded templates of dispatches, by key of the dispatch."""
    by_dispatch = {dispatch.pk: dispatch.template for dispatch in dispatches}
    contents = storage.load_many(set(by_dispatch.values()))
    return {pk: contents[key] for pk, key in by_dispatch.items()}


def note_replies(progress: Iterable[tuple[int, Replies]]) -> None:
    """Take over what the journal of a dead process says about chunks that are not done."""
    by_chunk = dict(progress)
    with transaction.atomic():
        for chunk in Chunk.objects.filter(pk__in=by_chunk, done=False):
            results = unpack_results(bytes(chunk.results), len(unpack_recipients(bytes(chunk.recipients))))
            for index, reply in by_chunk[chunk.pk].items():
                results.set(index, reply)
            chunk.results = pack_results(results)
            chunk.save(update_fields=["results"])


def finish(works: Sequence[Work]) -> None:
    """Complete chunks: keep the replies, queue what is to be retried or reported; one commit."""
    with transaction.atomic():
        for work in works:
            _finish(work)


def _finish(work: Work) -> None:
    replies = [work.results.get(index) or "" for index in range(len(work.recipients))]
    temporary = [i for i, reply in enumerate(replies) if kind_of(reply) == "temporary"]
    permanent = [i for i, reply in enumerate(replies) if kind_of(reply) == "permanent"]
    Chunk.objects.filter(pk=work.chunk).update(results=pack_results(work.results), done=True)
    dispatch = Dispatch.objects.only("pk", "deliver_until").get(chunks=work.chunk)
    tries = Chunk.objects.values_list("attempts", flat=True).get(pk=work.chunk) + 1
    if temporary and time.time() >= dispatch.deliver_until:
        permanent, temporary = sorted(permanent + temporary), []
    if temporary:
        _queue_retry(work, [work.recipients[i] for i in temporary], dispatch, tries)
    for index in permanent:
        report_failure(work.envelope, work.recipients[index].email, replies[index])
    delivered = len(replies) - len(temporary) - len(permanent)
    parts = [f"{delivered} delivered"]
    parts += [f"{len(temporary)} to be tried again: {replies[temporary[0]]}"] if temporary else []
    parts += [f"{len(permanent)} failed: {replies[permanent[0]]}"] if permanent else []
    outcome = "sent" if delivered == len(replies) else "failed" if not delivered and not temporary else "partly sent"
    if temporary and not delivered and not permanent:
        outcome = "put off"
    queue.record(work.envelope, "delivery", outcome, "; ".join(parts), str(work.chunk))
    queue.acknowledge(work.job)


def _queue_retry(work: Work, recipients: list[Recipient], dispatch: Dispatch, tries: int) -> None:
    chunk = Chunk.objects.create(dispatch_id=dispatch.pk, recipients=pack_recipients(recipients), attempts=tries)
    mail = current().mail
    pause = min(mail.retry_most_seconds, mail.retry_first_seconds * 2 ** min(tries - 1, 20))
    due = min(time.time() + pause, max(time.time(), dispatch.deliver_until))
    queue.put("delivery", msgspec.structs.replace(work.job.envelope, chunk=chunk.pk), due_at=due)


def kind_of(reply: str) -> str:
    """`delivered`, `permanent` or `temporary`: RFC 5321 §4.2.1, with 552 temporary since it often means a full disk."""
    if reply.startswith("2"):
        return "delivered"
    return "permanent" if reply.startswith("5") and not reply.startswith("552") else "temporary"


def report_failure(envelope: Envelope, email: str, reply: str) -> None:
    """Give a permanent failure to the bounces stage, as the delivery report it would have come back as."""
    mailing_list = MailingList.objects.filter(list_id=envelope.list_id).first()
    came_back_to = email
    if mailing_list is not None:
        # As if the receiver had sent it: keyed, since our own dialogue proves it.
        came_back_to = return_path(mailing_list.address("bounces"), mailing_list.pk, email, today())
    report = failure_report(envelope, email, reply)
    queue.put(
        "bounces",
        msgspec.structs.replace(
            envelope, message=storage.store(report), kind="bounces", sender="", recipient=came_back_to,
            size=len(report), recipients=(), explicit=(), dispatch=0, chunk=0, template="",
        ),
    )  # fmt: skip
