"""The stage `webhooks`: asks the address outside of any transaction, then writes down what it answered."""

import hashlib
import hmac
import time
from base64 import b64decode, b64encode

from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.webhooks.actions import note
from postroad.foundation.webhooks.destination import Unreachable, post
from postroad.foundation.webhooks.models import Delivery

Answer = tuple[int, str]
"""Status (0 for none), and what is shown of it."""


def signature(secret: str, name: str, moment: int, body: bytes) -> str:
    """The `webhook-signature` of a request: HMAC-SHA256 over its name, second and body."""
    key = b64decode(secret.removeprefix("whsec_"))
    signed = b"%b.%d.%b" % (name.encode(), moment, body)
    return "v1," + b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _find(name: str) -> Delivery | None:
    rows = Delivery.objects.select_related("webhook")
    return rows.filter(name=name, finished_at=None, webhook__disabled_at=None).first()


def tell(envelope: Envelope) -> Answer:
    """Tell one event to one address."""
    delivery = _find(envelope.message_id)
    if delivery is None:
        return 0, ""
    body, moment = delivery.body.encode(), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Postroad",
        "webhook-id": delivery.name,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(delivery.webhook.secret, delivery.name, moment, body),
    }
    try:
        status = post(delivery.webhook.url, body, headers)
    except Unreachable as error:
        return 0, str(error)
    return status, str(status)


def work(envelope: Envelope, answer: Answer) -> None:
    """Write down what came of it; nothing, when the webhook is gone."""
    delivery = _find(envelope.message_id)
    if delivery is not None:
        note(delivery, *answer)
