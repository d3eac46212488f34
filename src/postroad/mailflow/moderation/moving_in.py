"""The verbs of importers: held posts as another system held them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from postroad.community.lists.actions import take_request_id
from postroad.community.lists.models import MailingList
from postroad.community.lists.moving_in import number_requests_beyond
from postroad.community.subscriptions.tokens import hashed
from postroad.foundation.queue.actions import new_journey
from postroad.foundation.queue.envelope import Envelope, encode
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.models import HeldMessage

RENUMBERED = "number {} was given to another post here meanwhile; this one waits as number {}"
"""What is told of a post that could not keep its number."""


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A held post as another system knew it; `token` is the secret in its notice to the moderators."""

    request_id: int
    raw: bytes
    message_id: str
    sender: str
    subject: str
    reasons: tuple[str, ...]
    held_at: datetime
    received_at: datetime
    is_to_owners: bool = False
    rule_hits: tuple[str, ...] = ()
    rule_misses: tuple[str, ...] = ()
    token: str = ""


@transaction.atomic
def bring_held(mailing_list: MailingList, record: HeldRecord, known: int | None = None) -> HeldMessage:
    """Hold this post, or make the one it was before (`known`, the key of its row) like it.

    It waits under its own number, unless another post was held here under that meanwhile.
    """
    message = storage.store(record.raw)
    number = _number(mailing_list, record.request_id, message, known)
    envelope = Envelope(
        journey=new_journey(), message=message, message_id=record.message_id,
        received_at=record.received_at.timestamp(), size=len(record.raw), list_id=mailing_list.list_id,
        kind="owner" if record.is_to_owners else "posting", sender=record.sender, rule_hits=record.rule_hits,
        recipient=mailing_list.address("owner" if record.is_to_owners else ""), rule_misses=record.rule_misses,
        moderation_reasons=record.reasons, moderation_sender=record.sender,
    )  # fmt: skip
    row, _ = HeldMessage.objects.update_or_create(
        mailing_list=mailing_list, request_id=number,
        defaults={
            "message": message, "message_id": record.message_id[:998], "envelope": encode(envelope),
            "sender": record.sender[:320], "subject": record.subject[:2000].replace("\0", " "),
            "reason": "; ".join(record.reasons), "held_at": record.held_at,
            "token_hash": hashed(record.token) if record.token else None,
        },
    )  # fmt: skip
    number_requests_beyond(mailing_list, number)
    return row


def _number(mailing_list: MailingList, wanted: int, message: str, known: int | None) -> int:
    """The number a post waits under here."""
    held = HeldMessage.objects.filter(mailing_list=mailing_list)
    before = held.filter(pk=known or 0).first()
    if before is not None:
        return before.request_id
    taken = held.filter(request_id=wanted).exclude(message=message).exists()
    return take_request_id(mailing_list) if taken else wanted


def remove_held(keys: Sequence[int]) -> None:
    """Take away posts that were decided about elsewhere; nobody is told."""
    HeldMessage.objects.filter(pk__in=keys).delete()
