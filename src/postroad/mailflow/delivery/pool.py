"""Several reused connections to the one relay, as many as it likes, fed with copies and giving back outcomes.

The delivery worker submits copies; outcomes come in batches through one callback. A relay that is away is one event:
what was not tried comes back unsent, and the next submission waits until trying again is decent.
"""

import asyncio
import random
import ssl
from collections.abc import Callable, Iterable
from itertools import islice

from postroad.mailflow.delivery.client import Connection
from postroad.mailflow.delivery.relay import LOST, Copy, Outcome, Relay
from postroad.mailflow.delivery.transaction import Submission, Transaction
from postroad.mailflow.delivery.waiting import Waiting

MAX_BARREN = 3
"""So many sessions in a row that took no mail count as a relay that is away."""
MOST_WAITING = 4096
"""Copies that wait in memory, so that those for a slow domain leave room for the others; they are not made yet."""
AT_A_TIME = 64
"""Copies taken from a submission before the connections get to see them."""


class Pool:
    """Sends copies through at most `connections` sessions with `relay`.

    `on_outcomes` is called from the event loop with the outcomes of one read, before the next content is sent. If it
    raises, the pool stops for good and every submission raises that error.
    """

    def __init__(
        self,
        relay: Relay,
        connections: int,
        on_outcomes: Callable[[list[Outcome]], None],
        *,
        tls: ssl.SSLContext | None = None,
        idle_seconds: float = 30,
        first_pause: float = 1,
        longest_pause: float = 60,
    ) -> None:
        self.away = ""
        """Why the relay took no mail when last tried; empty when it did."""
        self.in_flight = 0
        """Transactions from MAIL until their outcomes were handed over."""
        self._relay = relay
        self._most = max(1, connections)
        self._on_outcomes = on_outcomes
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._waiting = Waiting(self._most)
        self._submissions: set[Submission] = set()
        self._opening: dict[Connection, asyncio.Task[None]] = {}
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []
        self._limit = 1
        self._barren = 0
        self._try_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._calm = asyncio.Event()
        self._closing = asyncio.Event()
        self._hungry = False
        self._error: Exception | None = None

    @property
    def connections(self) -> int:
        """Sessions that are open or being opened."""
        return len(self._open) + len(self._opening)

    @property
    def pause(self) -> float:
        """Seconds until a relay that is away is tried again; 0 when there is nothing to wait for."""
        if self._open or not self.away:
            return 0.0
        return max(0.0, self._try_at - asyncio.get_running_loop().time())

    async def submit(self, copies: Iterable[Copy]) -> list[Copy]:
        """Send the copies and return those that were not tried, when each of the others has all its outcomes.

        May be called again while it runs, to keep the connections busy from one batch to the next. Copies are taken
        from the iterable only as they can be sent. Cancelled, it takes back what waits; what is in flight goes on.
        Raises what `on_outcomes` raised.
        """
        if self._error is not None:
            raise self._error
        loop = asyncio.get_running_loop()
        submission = Submission(loop.create_future())
        self._submissions.add(submission)
        try:
            if (pause := self.pause) > 0:
                await self._wait_out(pause)
            await self._feed(submission, copies)
            submission.fed = True
            if submission.left or self._error is not None:
                await submission.finished
        finally:
            self._submissions.discard(submission)
            submission.finished.cancel()
            if submission.left:
                self._waiting.without(submission)
        return submission.unsent

    async def close(self, grace_seconds: float = 30) -> None:
        """Take nothing more, wait for what is in flight, and quit; what waits comes back as unsent."""
        self._closing.set()
        self._give_back()
        try:
            async with asyncio.timeout(grace_seconds):
                while self.in_flight:
                    self._calm.clear()
                    await self._calm.wait()
        except TimeoutError:
            pass
        if self._timer is not None:
            self._timer.cancel()
        for task in self._opening.values():
            task.cancel()
        for connection in [*self._open, *self._opening]:
            if connection in self._idle or connection in self._opening:
                connection.quit()
            else:
                connection.abort("Postroad was stopped before the mail relay answered")

    # --- feeding

    async def _wait_out(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    async def _feed(self, submission: Submission, copies: Iterable[Copy]) -> None:
        source = iter(copies)
        while not self._refuses(submission):
            if len(self._waiting) >= MOST_WAITING:
                await self._wait_for_room()
                continue
            batch = list(islice(source, AT_A_TIME))
            for copy in batch:
                self._queue(submission, copy)
            self._dispatch()
            if len(batch) < AT_A_TIME:
                return
        submission.unsent.extend(source)

    def _refuses(self, submission: Submission) -> bool:
        return submission.stopped or self._error is not None or self._closing.is_set()

    async def _wait_for_room(self) -> None:
        self._hungry = True
        self._room.clear()
        await self._room.wait()

    def _queue(self, submission: Submission, copy: Copy) -> None:
        if copy.recipients:
            submission.left += 1
            self._waiting.put(Transaction(copy, submission))

    # --- keeper of the connections

    def take(self) -> Transaction | None:
        """Give a connection the next transaction; from now on it is in flight."""
        if self._hungry and len(self._waiting) <= MOST_WAITING // 2:
            self._hungry = False
            self._room.set()
        transaction = self._waiting.take()
        self.in_flight += transaction is not None
        return transaction

    def opened(self, connection: Connection) -> None:
        """Count a session that got as far as mail."""
        if self._opening.pop(connection, None) is not None:
            self._open.add(connection)

    def settle(self, connection: Connection) -> None:
        """Hand outcomes over, and only then count their transactions as landed."""
        talk = connection.talk
        if talk is None:
            return
        outcomes, talk.outcomes = talk.outcomes, []
        done, talk.done = talk.done, []
        again, talk.again = talk.again, []
        if outcomes:
            self._hand_over(outcomes)
        self.in_flight -= len(done) + len(again)
        self._waiting.landed((*done, *again))
        for transaction in done:
            self._land(transaction.submission)
        if talk.answered and not connection.proven:
            connection.proven = True
            self._barren = 0
            self._try_at = 0.0
            self.away = ""
        if self._limit < self._most and talk.ended is None:
            self._limit = min(self._most, self._limit + len(done))
            self._dispatch()
        if again:
            self._retry(again)
        if not self.in_flight:
            self._calm.set()

    def rest(self, connection: Connection) -> None:
        """Note a connection without work, or give it some."""
        if self._waiting and self._error is None:
            connection.pump()
        elif connection not in self._idle:
            self._idle.append(connection)

    def closed(self, connection: Connection, why: str) -> None:
        """Draw the conclusions from an end: fewer connections, a pause, or all given back."""
        was_open = connection in self._open
        was_idle = connection in self._idle
        self._open.discard(connection)
        self._opening.pop(connection, None)
        if was_idle:
            self._idle.remove(connection)
        failed = bool(why) and not was_idle
        if failed:
            self._limit = max(1, self._limit // 2)
            if not (connection.proven or (connection.talk is not None and connection.talk.answered)):
                self._barren += 1
                if not was_open or self._barren >= MAX_BARREN:
                    self._hold_off(why)
        self.settle(connection)
        if not failed or self._error is not None:
            return
        if self.connections or not self.away:
            self._dispatch()
        else:
            self._give_back()

    def _hold_off(self, why: str) -> None:
        """Open no connection for a while that doubles with each failure (seconds)."""
        pause = min(self._longest_pause, self._first_pause * 2 ** min(self._barren - 1, 16))
        self._try_at = asyncio.get_running_loop().time() + pause * random.uniform(0.5, 1)  # noqa: S311 - spreads load
        if not self._open:
            self.away = why

    def _dispatch(self) -> None:
        """Give waiting copies to resting connections, then open more if allowed."""
        while self._waiting and self._idle:
            self._idle.pop().pump()
        if not self._waiting or self._closing.is_set() or self._error is not None:
            return
        if self.connections >= self._limit:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._try_at and (self.away or self.connections):
            if self._timer is None:
                self._timer = loop.call_at(self._try_at, self._on_timer)
            return
        while self.connections < self._limit and len(self._opening) < len(self._waiting):
            connection = Connection(self._relay, self, self._tls, self._idle_seconds)
            self._opening[connection] = loop.create_task(connection.open())

    def _on_timer(self) -> None:
        self._timer = None
        self._dispatch()

    # --- accounts

    def _hand_over(self, outcomes: list[Outcome]) -> None:
        if self._error is not None:
            return
        try:
            self._on_outcomes(outcomes)
        except Exception as error:  # noqa: BLE001 - every submission raises it again
            self._error = error
            self._room.set()
            for submission in self._submissions:
                if not submission.finished.done():
                    submission.finished.set_exception(error)
            for connection in [*self._open, *self._opening]:
                connection.abort("the outcomes could not be recorded")

    def _land(self, submission: Submission) -> None:
        submission.left -= 1
        if not submission.left and submission.fed and not submission.finished.done():
            submission.finished.set_result(None)

    def _retry(self, again: list[Transaction]) -> None:
        """Put back at the head what a broken session left untouched."""
        self._waiting.put_back(again)
        if self._closing.is_set():
            self._give_back()
        else:
            self._dispatch()

    def _give_back(self) -> None:
        """Return all that waits; a copy that has an outcome already gets one for its other recipients too."""
        given = self._waiting.clear()
        for submission in self._submissions:
            submission.stopped = True
        outcomes: list[Outcome] = []
        for transaction in given:
            if transaction.untouched:
                transaction.submission.unsent.append(transaction.copy)
            else:
                text = self.away or "Postroad was stopped before the mail relay answered"
                outcomes += transaction.settle(list(transaction.pending), LOST, text, "connection")
        if outcomes:
            self._hand_over(outcomes)
        for transaction in given:
            self._land(transaction.submission)
        self._room.set()
