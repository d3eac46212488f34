"""Takes what the LMTP and SMTP listeners received to the queue: one commit for all mails that wait for one.

The event loop never waits for the database: look-ups and commits are done by one thread, which takes everything
that has gathered meanwhile. 250 is answered after the commit is on the disk.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction

from postroad.community.lists.addresses import Resolved, resolve
from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_of, new_message_id
from postroad.foundation.queue import actions
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.intake.events import Reply, Transaction

log = logging.getLogger("postroad.intake")

QUEUE_OF_KIND = {
    "posting": "moderation",
    "owner": "moderation",
    "bounces": "bounces",
    "confirm": "mail_commands",
    "join": "mail_commands",
    "leave": "mail_commands",
    "request": "mail_commands",
}

MOST_IN_A_COMMIT = 200
REMEMBERED_SECONDS = 2.0
"""An address that existed is believed for so long; the commit checks that its list is still there."""

ACCEPTED = Reply(250, "2.0.0", "Accepted; it is on its way")
NO_SUCH_LIST = Reply(550, "5.1.1", "No such list here")
LATER = Reply(451, "4.3.0", "The mail cannot be stored just now, please try again")

_Answer = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class _Request:
    """Something for the database thread: an address to look up, or a mail to keep."""

    subject: str | Transaction
    answer: _Answer


class Intake:
    """What the listeners ask: is this a list's address, and may you have this mail?"""

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._known: dict[str, tuple[float, Resolved]] = {}
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    async def recipient(self, address: str, mail_from: str) -> Reply | None:
        """None if mail for this address is taken, else the refusal (RFC 5321 §3.3)."""
        known = self._known.get(address)
        if known is not None and known[0] > time.monotonic():
            return None
        found = await self._ask(address)
        if isinstance(found, Reply):
            return found
        return None

    async def message(self, transaction: Transaction) -> Sequence[Reply]:
        """Keep the mail; one reply for each recipient (RFC 2033 §4.2)."""
        replies: Sequence[Reply] = await self._ask(transaction)
        return replies

    async def _ask(self, subject: str | Transaction) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def answer(result: Any) -> None:
            loop.call_soon_threadsafe(lambda: future.done() or future.set_result(result))

        self._requests.put(_Request(subject, answer))
        return await future

    def close(self) -> None:
        """End the thread after what it has in hand."""
        self._requests.put(None)
        self._thread.join(10)

    def _run(self) -> None:
        while (first := self._requests.get()) is not None:
            batch = [first]
            while len(batch) < MOST_IN_A_COMMIT and not self._requests.empty():
                item = self._requests.get()
                if item is None:
                    self._requests.put(None)
                    break
                batch.append(item)
            self._serve(batch)
        connection.close()

    def _serve(self, batch: list[_Request]) -> None:
        for request in batch:
            if isinstance(request.subject, str):
                request.answer(self._look_up(request.subject))
        mails = [request for request in batch if isinstance(request.subject, Transaction)]
        if not mails:
            return
        try:
            results = self._keep([request.subject for request in mails])  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 — whatever failed, no mail was taken, and each sender is told to try again
            log.error("%d mails not stored, senders will try again: %s", len(mails), error)
            connection.close()
            results = [[LATER] * len(r.subject.recipients) for r in mails if isinstance(r.subject, Transaction)]
        for request, replies in zip(mails, results, strict=True):
            request.answer(replies)

    def _look_up(self, address: str) -> Resolved | Reply:
        try:
            found = resolve(address)
        except (DatabaseError, InterfaceError) as error:
            log.error("address %s not looked up: %s", address, error)
            connection.close()
            return LATER
        if found is None:
            return NO_SUCH_LIST
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[address] = (time.monotonic() + REMEMBERED_SECONDS, found)
        return found

    def _keep(self, mails: Sequence[Transaction]) -> list[list[Reply]]:
        """Store and queue all of them in one commit; nothing of it is kept if that fails."""
        with transaction.atomic():
            keys = storage.store_many([mail.data for mail in mails])
            prepared = [self._envelopes(mail, key) for mail, key in zip(mails, keys, strict=True)]
            alive = set(
                MailingList.objects.filter(
                    pk__in={found.mailing_list_pk for one in prepared for found, _ in one if found is not None}
                ).values_list("pk", flat=True)
            )
            by_queue: dict[str, list[Envelope]] = {}
            results = []
            for one in prepared:
                results.append(
                    [ACCEPTED if f is not None and f.mailing_list_pk in alive else NO_SUCH_LIST for f, _ in one]
                )
                for found, envelope in one:
                    if envelope is not None and found is not None and found.mailing_list_pk in alive:
                        by_queue.setdefault(QUEUE_OF_KIND[envelope.kind], []).append(envelope)
            for name, envelopes in by_queue.items():
                actions.put_many(name, envelopes)
                actions.record_many((e, "intake", "accepted", f"for {e.recipient}", "") for e in envelopes)
        return results

    def _envelopes(self, mail: Transaction, key: str) -> list[tuple[Resolved | None, Envelope | None]]:
        """One envelope for each recipient; a list named twice in one transaction gets the mail once."""
        message_id = message_id_of(Headers.parse(mail.data)) or new_message_id(current().site.owner.partition("@")[2])
        seen: set[tuple[str, str]] = set()
        made: list[tuple[Resolved | None, Envelope | None]] = []
        for recipient in mail.recipients:
            known = self._known.get(recipient)
            found = known[1] if known is not None else resolve(recipient)
            if found is None or (found.list_id, found.kind) in seen:
                made.append((found, None))
                continue
            if found.kind == "posting":
                seen.add((found.list_id, found.kind))
            envelope = Envelope(
                journey=actions.new_journey(), message=key, message_id=message_id, received_at=time.time(),
                size=len(mail.data), kind=found.kind, list_id=found.list_id, sender=mail.mail_from, recipient=recipient,
            )  # fmt: skip
            made.append((found, envelope))
        return made
