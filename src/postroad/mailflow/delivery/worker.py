"""Sends what is prepared: one event loop for the relay's connections, one thread for the database.

Chunks of recipients are claimed, spliced and submitted; each reply goes to the journal at once and, when the chunk is
complete, to the database. After a crash the journal tells which recipients have their copy.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, Protocol, TypeVar

from django.db import InterfaceError, OperationalError, connection

from postroad.foundation.configuration import current
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.actions import Claimed, LeaseLost
from postroad.foundation.queue.wakeup import Wakeup
from postroad.foundation.queue.worker import LONGEST_WAIT, worker_name
from postroad.mailflow.delivery import actions
from postroad.mailflow.delivery.actions import Work
from postroad.mailflow.delivery.copies import Source, bulk, personal
from postroad.mailflow.delivery.journal import Journal
from postroad.mailflow.delivery.outbox import Outbox
from postroad.mailflow.delivery.pool import Pool
from postroad.mailflow.delivery.relay import Copy, Outcome, Relay

log = logging.getLogger("postroad.delivery")
T = TypeVar("T")

CHUNKS_AT_ONCE = 8
KEYS_OF_A_CHUNK = 1 << 16
RENEW_SECONDS = 40.0
JOURNAL_FULL = 8_000_000
"""Bytes after which nothing new is begun until the journal could be emptied."""


class Transport(Protocol):
    """Where copies go: the relay's connections, or the built-in outbox."""

    away: str

    async def submit(self, copies: Any) -> list[Copy]:
        """Send copies; those that were not tried come back."""

    async def close(self, grace_seconds: float = 30) -> None:
        """Finish what is in flight."""


class Delivery:
    """The delivery process of one host."""

    def __init__(self) -> None:
        smtp = current().smtp
        relay = Relay(
            smtp.host, smtp.port, smtp.user, smtp.password, smtp.security,
            hostname=current().site.owner.partition("@")[2] or "localhost",
        )  # fmt: skip
        self._transport: Transport = (
            Pool(relay, smtp.connections, self._on_outcomes) if smtp.host else Outbox(self._on_outcomes)
        )
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._name = worker_name("delivery")
        self._journal = Journal(current().home / "run" / "delivery.journal")
        self._active: dict[int, Work] = {}
        self._bulk_indexes: dict[int, list[int]] = {}
        self._serials = count(1)
        self._journalled = 0
        self._complete: list[Work] = []
        self._finishing = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; a database that is away is waited for."""
        loop = asyncio.get_running_loop()
        await self._in_database(self._recover)
        wakeup = Wakeup("delivery")
        woken = asyncio.Event()

        def hear() -> None:
            wakeup.drain()
            woken.set()

        for descriptor in wakeup.filenos():
            loop.add_reader(descriptor, hear)
        renewing = asyncio.create_task(self._keep_leases())
        running: set[asyncio.Task[None]] = set()
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            woken.clear()
            started = await self._start_some(running)
            if started == 0:
                await self._wait(woken, stopping, running)
        renewing.cancel()
        for descriptor in wakeup.filenos():
            loop.remove_reader(descriptor)
        await self._transport.close()
        if running:
            await asyncio.wait(running, timeout=10)
        await self._in_database(self._give_back)
        wakeup.close()
        self._database.shutdown()
        self._journal.close()

    async def _wait(self, woken: asyncio.Event, stopping: "asyncio.Task[bool]", running: set[Any]) -> None:
        """Sleep until there may be work: woken, a chunk done, the next one due, or the end."""
        due = await self._in_database(lambda: queue.next_due(["delivery"]))
        now = await self._in_database(_now)
        seconds = LONGEST_WAIT if due is None else min(LONGEST_WAIT, max(0.05, due - now))
        if len(running) >= CHUNKS_AT_ONCE:
            seconds = LONGEST_WAIT
        waiter = asyncio.create_task(woken.wait())
        await asyncio.wait({waiter, stopping, *running}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()

    async def _start_some(self, running: set["asyncio.Task[None]"]) -> int:
        """Claim jobs and begin with them; how many."""
        room = CHUNKS_AT_ONCE - len(running)
        # A full journal is emptied by letting what runs come to its end.
        if room <= 0 or (running and (self._transport.away or self._journalled > JOURNAL_FULL)):
            return 0
        jobs = await self._in_database(lambda: queue.claim("delivery", self._name, room))
        for job in jobs:
            task = asyncio.create_task(self._one(job))
            running.add(task)
            task.add_done_callback(running.discard)
        return len(jobs)

    async def _one(self, job: Claimed) -> None:
        """Do one job; what goes wrong is the job's alone."""
        try:
            if job.envelope.chunk:
                await self._send(job)
            elif job.envelope.dispatch:
                await self._in_database(lambda: actions.go_on_cutting(job))
            else:
                await self._in_database(lambda: actions.open_dispatch(job))
        except LeaseLost:
            log.warning("another host took over: %s", job.envelope.message_id)
        except (OperationalError, InterfaceError) as error:
            log.error("database away; its lease will bring the job back: %s", error)
            await asyncio.sleep(1)
        except Exception as error:
            log.exception("message_id=%s quarantined", job.envelope.message_id)
            text = repr(error)
            await self._in_database(lambda: queue.quarantine(job, text))

    async def _send(self, job: Claimed) -> None:
        """Send a chunk to everybody in it who has no reply yet."""
        work, source = await self._in_database(lambda: _load(job))
        todo = [(i, work.recipients[i]) for i, number in enumerate(work.results.of) if number < 0]
        if not todo:
            await self._in_database(lambda: actions.finish([work]))
            return
        serial = next(self._serials)
        self._active[serial] = work
        try:
            unsent = await self._transport.submit(self._copies(source, todo, serial * KEYS_OF_A_CHUNK))
            if unsent or work.left:
                await self._put_off(work)
            else:
                await self._finish(work)
        finally:
            self._active.pop(serial, None)
            self._forget_journal()

    def _copies(self, source: Source, todo: Any, key: int) -> Any:
        if source.envelope.verp:
            yield from personal(source, todo, key)
            return
        for copy, indexes in bulk(source, todo, key):
            self._bulk_indexes[copy.key] = indexes
            yield copy

    def _on_outcomes(self, outcomes: list[Outcome]) -> None:
        """Note replies: in memory and, surviving a kill, in the journal."""
        entries = []
        for outcome in outcomes:
            work = self._active.get(outcome.key // KEYS_OF_A_CHUNK)
            if work is None:
                continue
            indexes = self._bulk_indexes.get(outcome.key)
            index = indexes[outcome.recipient_index] if indexes else outcome.key % KEYS_OF_A_CHUNK
            work.results.set(index, f"{outcome.code} {outcome.text}")
            work.left -= 1
            entries.append((work.chunk, index, outcome.code, outcome.text))
        self._journal.append(entries)
        self._journalled += sum(40 + len(entry[3]) for entry in entries)

    async def _finish(self, work: Work) -> None:
        """Keep a complete chunk; those that complete while a commit runs share the next one."""
        self._complete.append(work)
        async with self._finishing:
            if work not in self._complete:
                return
            works, self._complete = self._complete, []
            await self._in_database(lambda: actions.finish(works))

    async def _put_off(self, work: Work) -> None:
        """The relay is away: keep the replies that came, try the rest later."""
        reason = self._transport.away or "the relay did not take it"
        seconds = current().mail.retry_first_seconds
        replies = {i: reply for i in range(len(work.recipients)) if (reply := work.results.get(i)) is not None}

        def save() -> None:
            actions.note_replies([(work.chunk, replies)])
            queue.put_off(work.job, seconds, reason)

        log.warning("relay away, list=%s message_id=%s: %s", work.envelope.list_id, work.envelope.message_id, reason)
        await self._in_database(save)

    def _forget_journal(self) -> None:
        """Begin the journal anew when the database has everything in it."""
        if not self._active:
            self._journal.reset()
            self._journalled = 0

    async def _keep_leases(self) -> None:
        """Hold on to what takes longer than a lease."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            jobs = [work.job for work in self._active.values()]
            if jobs:
                await self._in_database(lambda jobs=jobs: queue.renew(jobs))  # type: ignore[misc]

    def _recover(self) -> None:
        """After a crash: believe the journal about chunks that were not finished."""
        progress: dict[int, dict[int, str]] = {}
        for chunk, index, code, text in self._journal.replay():
            progress.setdefault(chunk, {})[index] = f"{code} {text}"
        if progress:
            actions.note_replies(progress.items())
        self._journal.reset()
        queue.release_claims(self._name)

    def _give_back(self) -> None:
        """At the end: keep replies of what is not complete and let another process go on at once."""
        works = list(self._active.values())
        actions.note_replies(
            (w.chunk, {i: r for i in range(len(w.recipients)) if (r := w.results.get(i)) is not None}) for w in works
        )
        queue.release_claims(self._name)
        connection.close()

    async def _in_database(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._database, work)


def _now() -> float:
    import time

    return time.time()


def _load(job: Claimed) -> tuple[Work, Source]:
    works, dispatches = actions.load_work([job])
    templates = actions.load_templates(dispatches.values())
    work = works[0]
    dispatch = next(iter(dispatches.values()))
    return work, Source.load(work.envelope, templates[dispatch.pk])
