"""Postroad's queues under the names of Mailman's: what waits where, and mail put in by hand."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from postroad.community.lists.models import MailingList
from postroad.foundation.errors import BadInput
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_of, new_message_id
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, Kind, decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage


@dataclass(frozen=True, slots=True)
class Queue:
    """One of Mailman's queues: the stage whose jobs it shows, and what mail put in by hand is taken for."""

    name: str
    stage: str = ""
    kind: Kind | None = None


QUEUES: Mapping[str, Queue] = {
    row.name: row
    for row in (
        Queue("archive", "archive", "posting"),
        Queue("bad"),
        Queue("bounces", "bounces", "bounces"),
        Queue("command", "mail_commands", "request"),
        Queue("digest", "digests", "posting"),
        Queue("in", "moderation", "posting"),
        Queue("nntp", "usenet", "posting"),
        Queue("out", "delivery"),
        Queue("pipeline", "pipeline", "posting"),
        Queue("retry"),
        Queue("shunt"),
        Queue("virgin", "issues"),
    )
}
"""`shunt` is what is quarantined; `retry` is delivery that was put off; `virgin` is digests that are built; `archive`
shows what waits for archivers of others too.

`bad` is always empty.
"""


def jobs_of(name: str) -> "QuerySet[Job]":
    """What waits in one of Mailman's queues, the oldest first."""
    rows = Job.objects.order_by("pk")
    if name == "shunt":
        return rows.filter(state=Job.State.QUARANTINED)
    live = rows.filter(state=Job.State.LIVE)
    if name in ("out", "retry"):
        return (
            live.filter(queue="delivery", error="")
            if name == "out"
            else live.filter(queue="delivery").exclude(error="")
        )
    return live.filter(queue__in=[QUEUES[name].stage, *(["archivers"] if name == "archive" else [])])


@transaction.atomic
def inject(name: str, mailing_list: MailingList, raw: bytes, *, by: str, sender: str = "", recipient: str = "") -> int:
    """Put a mail into a queue as if it had come to the list; the key of its job. `by` stands in its journey.

    Raises:
        BadInput: there is no such queue, or it takes no mail by hand.
    """
    target = QUEUES.get(name)
    if target is None:
        raise BadInput(f"no such queue: {name}; there are {', '.join(QUEUES)}")
    if target.kind is None:
        takers = ", ".join(row.name for row in QUEUES.values() if row.kind is not None)
        raise BadInput(f"Queue {name} takes no mail by hand; allowed are {takers}.")
    data = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    message_id = message_id_of(Headers.parse(data)) or new_message_id(mailing_list.mail_host)
    part = {"bounces": "bounces", "request": "request"}.get(target.kind, "")
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(data), message_id=message_id, received_at=time.time(),
        size=len(data), kind=target.kind, list_id=mailing_list.list_id,
        recipient=recipient or mailing_list.address(part), sender=sender,
    )  # fmt: skip
    queue.record(envelope, "intake", "accepted", f"put into {name} {by}")
    return queue.put_now(target.stage, envelope)


@transaction.atomic
def drop(name: str, key: int) -> bool:
    """Remove one job; its journey says so. Whether there was one."""
    job = jobs_of(name).select_for_update().filter(pk=key).first()
    if job is None:
        return False
    queue.record(decode(bytes(job.envelope)), job.queue, "dropped", "over REST")
    job.delete()
    return True
