"""Sends what is prepared: one event loop for the relay's connections, one thread for the database.

Chunks of recipients are claimed, spliced and submitted; each reply goes to the journal at once and, when the chunk is
complete, to the database. After a crash the journal tells which recipients have their copy.
"""

import asyncio
import functools
import logging
import random
import time
import traceback
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, Protocol, TypeVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from postroad.foundation.configuration import current
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue import memory, precedence
from postroad.foundation.queue.actions import Claimed, LeaseLost
from postroad.foundation.queue.wakeup import Wakeup
from postroad.foundation.queue.worker import LONGEST_WAIT, worker_name
from postroad.mailflow.delivery import actions
from postroad.mailflow.delivery.actions import Work
from postroad.mailflow.delivery.chunks import CHUNK_SIZE
from postroad.mailflow.delivery.copies import Source, bulk, personal
from postroad.mailflow.delivery.cutting import DATABASE_AWAY, Begun
from postroad.mailflow.delivery.journal import Journal
from postroad.mailflow.delivery.loading import Loaded, cut_and_load, load_all
from postroad.mailflow.delivery.outbox import Outbox
from postroad.mailflow.delivery.pauses import Pauses
from postroad.mailflow.delivery.pool import Pool
from postroad.mailflow.delivery.relay import Copy, Outcome, Relay
from postroad.mailflow.delivery.sorting import line_of

log = logging.getLogger("postroad.delivery")
T = TypeVar("T")

CHUNKS_AT_ONCE = 8
MANY_AT_ONCE = 32
"""So many while they have less recipients than one full chunk."""
KEYS_OF_A_CHUNK = 1 << 16
RENEW_SECONDS = 40.0
JOURNAL_FULL = 32_000_000
"""Bytes after which nothing new is begun until the journal could be emptied."""
SYNC_SECONDS = 0.2
"""After a power failure, at most the copies of so long may go out once more."""
DATABASE_PAUSE = 2.0
"""Seconds between two tries while the database is away."""


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
            hostname=current().mail_hostname,
        )  # fmt: skip
        self._transport: Transport = (
            Pool(relay, smtp.connections, self._on_outcomes) if smtp.host else Outbox(self._on_outcomes)
        )
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._name = worker_name("delivery")
        self._journal = Journal(current().home / "run" / "delivery.journal")
        self._active: dict[int, tuple[Work, dict[int, list[int]]]] = {}
        """By serial number: the chunk, and for bulk copies (by key) the indexes of their recipients."""
        self._running: set[asyncio.Task[None]] = set()
        self._serials = count(1)
        self._journalled = 0
        self._complete: list[Work] = []
        self._finishing = asyncio.Lock()
        self._pauses = Pauses()
        self._stop = asyncio.Event()
        self._error: Exception | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; a database that is away is waited for. Raises what makes delivering impossible."""
        self._stop = stop
        connection_created.connect(_read_plainly)
        wakeup = await self._surely(self._recover)
        woken = asyncio.Event()

        def hear() -> None:
            wakeup.drain()
            woken.set()

        wakeup.attach(asyncio.get_running_loop(), hear)
        keeping = [asyncio.create_task(self._keep_leases()), asyncio.create_task(self._sync_journal())]
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            woken.clear()
            try:
                if await self._start_some() == 0:
                    await self._in_database(wakeup.listen)
                    await self._wait(woken, stopping)
            except DATABASE_AWAY as error:
                await self._wait_for_database(error)
        for task in keeping:
            task.cancel()
        await self._transport.close()
        if self._running:
            await asyncio.wait(self._running, timeout=10)
        wakeup.close()
        await self._end()

    async def _end(self) -> None:
        """Let another process go on at once; where that can't be said, leases end and the journal stays."""
        try:
            await self._in_database(self._give_back)
        except DATABASE_AWAY as error:
            log.warning("database away at the end; the journal keeps the replies: %s", error)
        self._database.shutdown()
        self._journal.close()
        if self._error is not None:
            raise self._error

    async def _wait(self, woken: asyncio.Event, stopping: "asyncio.Task[bool]") -> None:
        """Sleep until there may be work: woken, a chunk done, the next one due, or the end."""
        due = await self._in_database(lambda: queue.next_due(["delivery"]))
        seconds = LONGEST_WAIT if due is None else min(LONGEST_WAIT, max(0.05, due - time.time()))
        if self._running and (len(self._running) >= CHUNKS_AT_ONCE or self._is_holding_back):
            seconds = LONGEST_WAIT
        waiter = asyncio.create_task(woken.wait())
        await asyncio.wait({waiter, stopping, *self._running}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()

    @property
    def _is_holding_back(self) -> bool:
        """Whether what runs is to come to its end first: the relay is away, or the journal is full."""
        return bool(self._transport.away) or self._journalled > JOURNAL_FULL

    async def _start_some(self) -> int:
        """Claim jobs and begin with them; how many."""
        room = (MANY_AT_ONCE if self._in_hand < CHUNK_SIZE else CHUNKS_AT_ONCE) - len(self._running)
        if room <= 0 or (self._running and self._is_holding_back):
            return 0
        jobs, loaded = await self._in_database(lambda: self._claim(room))
        self._send_all(loaded)
        fresh = deque(job for job in jobs if not job.envelope.chunk)
        if fresh:
            self._go_along(self._begin(fresh))
        return len(jobs)

    def _claim(self, room: int) -> tuple[Sequence[Claimed], Sequence[tuple[Claimed, Loaded]]]:
        jobs = queue.claim("delivery", self._name, room)
        return jobs, load_all([job for job in jobs if job.envelope.chunk])

    @property
    def _in_hand(self) -> int:
        """Recipients of the chunks that are being sent."""
        return sum(len(work.recipients) for work, _ in self._active.values())

    def _go_along(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _begin(self, jobs: deque[Claimed]) -> None:
        """Cut chunks for mails that begin, and for big lists that go on; the first chunk of each is sent at once."""
        while jobs:
            try:
                begun, loaded = await self._in_database(functools.partial(cut_and_load, jobs))
            except DATABASE_AWAY as error:
                begun, loaded = Begun([], [(job, error) for job in jobs]), []
                jobs.clear()
            self._send_all(loaded)
            for job, wrong in begun.failed:
                await self._set_aside(job, wrong)

    def _send_all(self, loaded: Iterable[tuple[Claimed, Loaded]]) -> None:
        for job, work in loaded:
            self._go_along(self._send(job, work))

    async def _send(self, job: Claimed, loaded: Loaded) -> None:
        """Do one chunk; what goes wrong is the chunk's alone."""
        try:
            if not isinstance(loaded, Exception):
                await self._send_chunk(*loaded)
                return
        except Exception as error:  # noqa: BLE001 - whatever it is, the mail is kept
            loaded = error
        await self._set_aside(job, loaded)

    async def _set_aside(self, job: Claimed, error: Exception) -> None:
        """Give back a job for which the database was away, quarantine one that failed."""
        if isinstance(error, LeaseLost):
            log.warning("another host took over: %s", job.envelope.message_id)
        elif isinstance(error, DATABASE_AWAY):
            log.error("database away: %s", error)
            if not self._stop.is_set():
                await self._surely(lambda: queue.put_off(job, 0.0))
        else:
            log.error("message_id=%s quarantined", job.envelope.message_id, exc_info=error)
            text = "".join(traceback.format_exception(error))
            await self._surely(lambda: queue.quarantine(job, text))

    async def _send_chunk(self, work: Work, source: Source) -> None:
        """Send a chunk to everybody in it who has no reply yet."""
        todo = [(i, work.recipients[i]) for i, number in enumerate(work.results.of) if number < 0]
        if work.job.deaths:
            # The first may have a copy that nobody knows of; should we die again at once, it is hardly theirs again.
            random.shuffle(todo)
        serial = next(self._serials)
        self._active[serial] = (work, {})
        await self._submit(source, todo, serial)
        if work.left == 0:
            await self._finish(work)
        elif self._stop.is_set():
            return  # It is given back with all others at the end.
        else:
            await self._put_off(work)
        del self._active[serial]
        self._forget_journal()

    async def _submit(self, source: Source, todo: list[tuple[int, Any]], serial: int) -> None:
        """Hand the copies of a chunk to the transport, and see each of them answered or given up for now."""
        try:
            await self._transport.submit(self._copies(source, todo, serial))
        except Exception as error:
            # A reply could not be kept (a full disk): going on would send twice. The supervisor starts us again.
            log.exception("delivery ends")
            self._error = error
            self._stop.set()

    def _copies(self, source: Source, todo: list[tuple[int, Any]], serial: int) -> Iterator[Copy]:
        work, bulk_indexes = self._active[serial]
        key = serial * KEYS_OF_A_CHUNK
        if self._pauses:
            paused = [(index, reason) for index, one in todo if (reason := self._pauses.reason(one.email))]
            for index, reason in paused:
                work.results.set(index, f"450 (by Postroad) 4.7.0 this domain is left in peace, it said: {reason}")
            work.left -= len(paused)
            todo = [place for place in todo if work.results.of[place[0]] < 0]
        if source.envelope.verp:
            yield from personal(source, todo, key)
            return
        for copy, indexes in bulk(source, todo, key):
            bulk_indexes[copy.key] = indexes
            yield copy

    def _on_outcomes(self, outcomes: list[Outcome]) -> None:
        """Note replies: in memory and, surviving a kill, in the journal."""
        entries = []
        for outcome in outcomes:
            active = self._active.get(outcome.key // KEYS_OF_A_CHUNK)
            if active is None:
                continue
            work, bulk_indexes = active
            indexes = bulk_indexes.get(outcome.key)
            index = indexes[outcome.recipient_index] if indexes else outcome.key % KEYS_OF_A_CHUNK
            reply = line_of(outcome)
            work.results.set(index, reply)
            work.left -= 1
            entries.append((work.chunk, index, outcome.code, reply[4:]))
            if outcome.kind == "delivered":
                self._pauses.delivered(work.recipients[index].email)
            elif outcome.kind == "temporary" and outcome.stage == "rcpt":
                self._pauses.put_off(work.recipients[index].email, reply)
        self._journalled += self._journal.append(entries)

    async def _finish(self, work: Work) -> None:
        """Keep a complete chunk; those that complete while a commit runs share the next one."""
        self._complete.append(work)
        async with self._finishing:
            if work not in self._complete:
                return
            works, self._complete = self._complete, []
            await self._surely(lambda: actions.finish(works))

    async def _put_off(self, work: Work) -> None:
        """The relay is away: keep the replies that came, try the rest later."""
        reason = self._transport.away or "the relay did not take it"
        log.warning("relay away, list=%s message_id=%s: %s", work.envelope.list_id, work.envelope.message_id, reason)
        if time.time() >= work.deliver_until:
            await self._surely(lambda: actions.give_up(work, reason))
        else:
            seconds = current().mail.retry_first_seconds
            await self._surely(lambda: actions.put_off(work, seconds, reason))

    def _forget_journal(self) -> None:
        """Begin the journal anew when the database has everything in it."""
        if not self._active:
            self._journal.reset()
            self._journalled = 0

    async def _sync_journal(self) -> None:
        """Bring the journal to the disk while copies go out; asleep otherwise."""
        loop = asyncio.get_running_loop()
        while True:
            await self._journal.written.wait()
            self._journal.written.clear()
            await loop.run_in_executor(None, self._journal.sync)
            await asyncio.sleep(SYNC_SECONDS)

    async def _keep_leases(self) -> None:
        """Hold on to what takes longer than a lease."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            jobs = [work.job for work, _ in self._active.values()]
            if jobs:
                await self._surely(lambda jobs=jobs: queue.renew(jobs))  # type: ignore[misc]

    def _recover(self) -> Wakeup:
        """After a crash: believe the journal about chunks that were not finished, then take the claims back."""
        progress: dict[int, dict[int, str]] = {}
        for chunk, index, code, text in self._journal.replay():
            progress.setdefault(chunk, {})[index] = f"{code} {text}"
        if progress:
            actions.note_replies(progress.items())
        self._journal.reset()
        queue.release_claims(self._name)
        return Wakeup("delivery", ["delivery"])

    def _give_back(self) -> None:
        """At the end: keep replies of what is not complete and let another process go on at once."""
        for work, _ in self._active.values():
            actions.put_off(work, 0.0, "")
        self._journal.reset()
        connection.close()

    async def _in_database(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._database, _in_turn, work)

    async def _surely(self, work: Callable[[], T]) -> T:
        """Do in the database what must be done, however long that is away; raises only when stopped before."""
        while True:
            try:
                return await self._in_database(work)
            except DATABASE_AWAY as error:
                if self._stop.is_set():
                    raise
                await self._wait_for_database(error)

    async def _wait_for_database(self, error: Exception) -> None:
        log.error("database away, trying again in %.0f s: %s", DATABASE_PAUSE, error)
        await self._in_database(_disconnect)
        try:
            async with asyncio.timeout(DATABASE_PAUSE):
                await self._stop.wait()
        except TimeoutError:
            pass


def _in_turn(work: Callable[[], T]) -> T:
    with precedence.in_turn(), memory.remembering():
        return work()


def _read_plainly(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Map nothing of an SQLite file and keep half as much: a big list's pages are read once, and are memory of ours."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA mmap_size=0")
            cursor.execute("PRAGMA cache_size=-8000")


def _disconnect() -> None:
    """Drop the connection of the thread this runs in; `connection.close` itself would be the caller's."""
    connection.close()
