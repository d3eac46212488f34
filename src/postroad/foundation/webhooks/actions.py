"""The verbs of webhooks: make and remove one, announce an event, note what came of telling it."""

import json
import secrets
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from django.db import transaction

from postroad.foundation.errors import BadInput, Conflict
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.webhooks.destination import check_url
from postroad.foundation.webhooks.models import Delivery, Webhook

EVENTS = (
    "post.accepted", "post.held", "post.rejected", "post.discarded", "post.archived", "member.joined", "member.left",
    "member.disabled",
)  # fmt: skip
"""What can be told; the first part is what it is about."""
TEST = "webhook.test"
MOST_OF_A_LIST = 20
BACK_OFF = (5.0, 60.0, 300.0, 1800.0, 7200.0, 21_600.0, 43_200.0, 86_400.0)
"""Seconds until the next attempt; after the last one an event is given up."""
DISABLED_AFTER = 5 * 86_400.0
KEPT_SECONDS = 30 * 86_400.0
GONE = 410
"""RFC 9110 §15.5.11: the receiver wants no more."""
_KNOWN_SECONDS = 5.0
_known: tuple[float, frozenset[str]] = (0.0, frozenset())


@transaction.atomic
def make_webhook(url: str, events: Sequence[str], list_id: str = "") -> Webhook:
    """Tell an address of these events (all of them if none is named); the secret it can check with is made here.

    Raises:
        BadInput: not such an address, an unknown event, or too many webhooks.
    """
    check_url(url)
    unknown = [event for event in events if event not in EVENTS]
    if unknown:
        raise BadInput(f"Unknown events: {', '.join(unknown)}. Accepted Values are: {', '.join(EVENTS)}")
    if Webhook.objects.filter(list_id=list_id).count() >= MOST_OF_A_LIST:
        raise BadInput(f"There are {MOST_OF_A_LIST} webhooks already.")
    wanted = list(dict.fromkeys(events)) or list(EVENTS)
    secret = "whsec_" + b64encode(secrets.token_bytes(24)).decode()
    made = Webhook.objects.create(
        list_id=list_id,
        url=url,
        events=wanted,
        secret=secret,
        created_at=time.time(),
    )
    _forget()
    return made


@transaction.atomic
def remove_webhook(webhook: Webhook) -> None:
    """Tell an address nothing more."""
    webhook.delete()
    _forget()


@transaction.atomic
def enable(webhook: Webhook) -> None:
    """Try an address again that was given up."""
    webhook.disabled_at = webhook.failing_since = None
    webhook.save(update_fields=["disabled_at", "failing_since"])
    _forget()


def announce(event: str, list_id: str, data: Mapping[str, object]) -> None:
    """Have everybody told who wants to know; queued in the transaction in which it happens."""
    if not ({"", list_id} & _listening()):
        return
    for webhook in Webhook.objects.filter(list_id__in=("", list_id), disabled_at=None):
        if event in webhook.events:
            _queue(webhook, event, list_id, data)


@transaction.atomic
def send_test(webhook: Webhook) -> None:
    """Have an address told of the event `webhook.test`, whatever it wants to know, to see whether it answers.

    Raises:
        Conflict: it was given up; `enable` it first.
    """
    if webhook.disabled_at is not None:
        raise Conflict("This webhook was given up after failures; let it be tried again first.")
    _queue(webhook, TEST, webhook.list_id, {})


def _queue(webhook: Webhook, event: str, list_id: str, data: Mapping[str, object]) -> None:
    now = time.time()
    moment = datetime.fromtimestamp(now, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = json.dumps({"type": event, "timestamp": moment, "data": {"list_id": list_id, **data}})
    name = f"msg_{secrets.token_hex(12)}"
    Delivery.objects.create(webhook=webhook, name=name, event=event, body=body, created_at=now)
    queue.put("webhooks", _envelope(name, list_id))


def _envelope(name: str, list_id: str) -> Envelope:
    return Envelope(journey=name, message="", message_id=name, received_at=time.time(), kind="notice", list_id=list_id)


def _listening() -> frozenset[str]:
    """The lists somebody wants to know of; looked up now and then, since every post asks."""
    global _known
    if time.monotonic() > _known[0]:
        names = Webhook.objects.filter(disabled_at=None).values_list("list_id", flat=True).distinct()
        _known = (time.monotonic() + _KNOWN_SECONDS, frozenset(names))
    return _known[1]


def _forget() -> None:
    global _known
    _known = (0.0, frozenset())


def note(delivery: Delivery, status: int, outcome: str) -> None:
    """Write down what an attempt came to; a failed one is queued again, until it is given up."""
    now = time.time()
    webhook = delivery.webhook
    delivery.attempts += 1
    delivery.outcome = outcome[:200]
    delivery.was_delivered = 200 <= status < 300
    if delivery.was_delivered:
        webhook.failing_since = None
    else:
        webhook.failing_since = webhook.failing_since or now
        if status == GONE or now - webhook.failing_since > DISABLED_AFTER:
            webhook.disabled_at = now
            _forget()
    given_up = webhook.disabled_at is not None or delivery.attempts > len(BACK_OFF)
    if delivery.was_delivered or given_up:
        delivery.finished_at = now
    else:
        later = now + BACK_OFF[delivery.attempts - 1]
        queue.put("webhooks", _envelope(delivery.name, webhook.list_id), later)
    delivery.save()
    webhook.save(update_fields=["failing_since", "disabled_at"])


def forget_old_deliveries() -> None:
    """Drop what is older than 30 days."""
    Delivery.objects.filter(created_at__lt=time.time() - KEPT_SECONDS).delete()
