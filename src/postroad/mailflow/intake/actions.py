"""Keeps accepted mails: stored, queued and noted in one commit, for any number of them."""

import time
from collections.abc import Sequence

from django.db import transaction

from postroad.community.lists.addresses import Resolved, resolve
from postroad.foundation.configuration import current
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_of, new_message_id
from postroad.foundation.pipelining import pipelined
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.queue.gathering import gathering
from postroad.foundation.storage import actions as storage
from postroad.mailflow.intake.events import Reply, Transaction

QUEUE_OF_KIND = {
    "posting": "moderation",
    "owner": "moderation",
    "bounces": "bounces",
    "confirm": "mail_commands",
    "join": "mail_commands",
    "leave": "mail_commands",
    "request": "mail_commands",
}

ACCEPTED = Reply(250, "2.0.0", "Accepted; it is on its way")
NO_SUCH_LIST = Reply(550, "5.1.1", "No such list here")

_Made = list[tuple[Resolved | None, Envelope | None]]


def accept(mails: Sequence[Transaction]) -> list[list[Reply]]:
    """Keep mails, all in one commit; for each mail a reply for each recipient. Nothing is kept if it raises."""
    with pipelined(), transaction.atomic(), gathering():
        keys = storage.store_many([mail.data for mail in mails])
        known: dict[str, Resolved | None] = {}
        made = [_envelopes(mail, key, known) for mail, key in zip(mails, keys, strict=True)]
        by_queue: dict[str, list[Envelope]] = {}
        for _, envelope in (pair for one in made for pair in one):
            if envelope is not None:
                by_queue.setdefault(QUEUE_OF_KIND[envelope.kind], []).append(envelope)
        for name, envelopes in by_queue.items():
            queue.put_many(name, envelopes)
            queue.record_many((e, "intake", "accepted", f"for {e.recipient}", "") for e in envelopes)
    return [[NO_SUCH_LIST if found is None else ACCEPTED for found, _ in one] for one in made]


def _envelopes(mail: Transaction, key: str, known: dict[str, Resolved | None]) -> _Made:
    """What each recipient's address means; a list named twice in one transaction gets the mail once."""
    message_id = message_id_of(Headers.parse(mail.data)) or new_message_id(current().site.owner.partition("@")[2])
    seen: set[tuple[str, str]] = set()
    made: _Made = []
    for recipient in mail.recipients:
        if recipient not in known:
            known[recipient] = resolve(recipient)
        found = known[recipient]
        if found is None or (found.list_id, found.kind) in seen:
            made.append((found, None))
            continue
        if found.kind == "posting":
            seen.add((found.list_id, found.kind))
        envelope = Envelope(
            journey=queue.new_journey(), message=key, message_id=message_id, received_at=time.time(),
            size=len(mail.data), kind=found.kind, list_id=found.list_id, sender=mail.mail_from, recipient=recipient,
            signed_in=mail.signed_in,
        )  # fmt: skip
        made.append((found, envelope))
    return made
