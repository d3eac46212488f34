"""Consumes this stage's queue: every mail in it is kept where it can be seen."""

from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, encode
from postroad.mailflow.bounces.models import Kept


def work(envelope: Envelope) -> None:
    """Keep the mail."""
    Kept.objects.create(
        list_id=envelope.list_id, message=envelope.message, message_id=envelope.message_id[:998], kind=envelope.kind,
        envelope=encode(envelope), recipient=envelope.recipient[:400], received_at=envelope.received_at,
    )  # fmt: skip
    queue.record(envelope, "bounces", "kept")
