"""Takes what the LMTP and SMTP listeners received to the queue: one commit for all mails that wait for one.

The event loop never waits for the database: look-ups and commits are done by one thread, which takes everything
that has gathered meanwhile. 250 is answered after the commit is on the disk.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from postroad.community.lists.addresses import Resolved, resolve
from postroad.foundation.errors import answer_for
from postroad.foundation.queue import precedence
from postroad.foundation.storage.trouble import meaning
from postroad.mailflow.intake.actions import NO_SUCH_LIST, accept
from postroad.mailflow.intake.events import Reply, Transaction

log = logging.getLogger("postroad.intake")

MOST_IN_A_COMMIT = 200
MOST_OCTETS_IN_A_COMMIT = 33_554_432
"""A commit of large mails ends here, so that those behind it do not wait for all of them."""
TOGETHER_SECONDS = 0.002
"""Who shared the last commit is waited for so long: a commit costs as much as eight mails do in it."""
REMEMBERED_SECONDS = 2.0
"""An address that existed is believed for so long; the commit checks that its list is still there."""


@dataclass(frozen=True, slots=True)
class _Request:
    """Something for the database thread: an address to look up, or a mail to keep."""

    subject: str | Transaction
    answer: "asyncio.Future[Any]"

    @property
    def octets(self) -> int:
        return len(self.subject.data) if isinstance(self.subject, Transaction) else 0


class Intake:
    """What the listeners ask: is this a list's address, and may you have this mail?"""

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._known: dict[str, float] = {}
        self._shared = 1
        """How many mails the last commit was for."""
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def is_known(self, address: str) -> bool:
        """Whether it was some list's address a moment ago."""
        return self._known.get(address, 0.0) > time.monotonic()

    async def recipient(self, address: str, mail_from: str) -> Reply | None:
        """None if mail for this address is taken, else the refusal (RFC 5321 §3.3)."""
        found = await self._ask(address)
        if isinstance(found, Reply):
            return found
        return None

    async def message(self, transaction: Transaction) -> Sequence[Reply]:
        """Keep the mail; one reply for each recipient (RFC 2033 §4.2)."""
        replies: Sequence[Reply] = await self._ask(transaction)
        return replies

    async def _ask(self, subject: str | Transaction) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._requests.put(_Request(subject, answer))
        return await answer

    def close(self) -> None:
        """End the thread after what it has in hand."""
        self._requests.put(None)
        self._thread.join(10)

    def _run(self) -> None:
        while (first := self._requests.get()) is not None:
            self._serve(self._with_those_behind(first))
        connection.close()

    def _with_those_behind(self, first: _Request) -> list[_Request]:
        """This request and what waits behind it or comes at once, as much as one commit takes."""
        batch, octets, end = [first], first.octets, time.monotonic() + TOGETHER_SECONDS
        while len(batch) < MOST_IN_A_COMMIT and octets < MOST_OCTETS_IN_A_COMMIT:
            patience = end - time.monotonic() if len(batch) < self._shared else 0.0
            try:
                item = self._requests.get(patience > 0, patience)
            except queue.Empty:
                break
            if item is None:
                self._requests.put(None)
                break
            batch.append(item)
            octets += item.octets
        return batch

    def _serve(self, batch: list[_Request]) -> None:
        asked = [request for request in batch if isinstance(request.subject, str)]
        _answer(asked, [self._look_up(r.subject) for r in asked if isinstance(r.subject, str)])
        mails = [request for request in batch if isinstance(request.subject, Transaction)]
        if mails:
            self._shared = len(mails)
            with precedence.urgent():
                results = _kept([r.subject for r in mails if isinstance(r.subject, Transaction)])
            _answer(mails, results)

    def _look_up(self, address: str) -> Resolved | Reply:
        try:
            found = resolve(address)
        except (DatabaseError, InterfaceError) as error:
            log.error("address %s not looked up: %s", address, error)
            connection.close()
            return _later(error)
        if found is None:
            return NO_SUCH_LIST
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[address] = time.monotonic() + REMEMBERED_SECONDS
        return found


def _answer(requests: Sequence[_Request], results: Sequence[Any]) -> None:
    """Give the event loop all answers at once: waking it costs as much as a look-up."""

    def settle() -> None:
        for request, result in zip(requests, results, strict=True):
            if not request.answer.done():  # The client may have gone away meanwhile.
                request.answer.set_result(result)

    if requests:
        requests[0].answer.get_loop().call_soon_threadsafe(settle)


def _kept(mails: list[Transaction]) -> list[list[Reply]]:
    """The replies for these mails. When one of them cannot be kept, each is tried alone, so it holds up no other."""
    try:
        return accept(mails)
    except Exception as error:  # noqa: BLE001 — whatever failed, nothing was taken, and each sender is told to try again
        log.error("%d mails not stored, senders will try again: %s", len(mails), error)
        connection.close()
        if len(mails) == 1 or isinstance(error, OperationalError | InterfaceError):
            # The database is away or full: no mail's fault.
            return [[_later(error)] * len(mail.recipients) for mail in mails]
    return [_kept([mail])[0] for mail in mails]


def _later(error: Exception) -> Reply:
    """Try again, and why (RFC 5321 §4.2.1, 4yz)."""
    meant = meaning(error)
    answer = answer_for(meant)
    return Reply(answer.smtp, answer.enhanced, str(meant))
