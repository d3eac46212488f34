"""The loop every stage runs in: claim a batch, work on each mail, acknowledge, commit once, sleep until woken.

This is the one place that catches everything: a mail that makes a stage fail is quarantined with its traceback,
its neighbours in the batch go on.
"""

import logging
import os
import socket
import threading
import time
import traceback
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from postroad.foundation.configuration import current
from postroad.foundation.errors import TryLater
from postroad.foundation.queue import actions, memory, precedence
from postroad.foundation.queue.actions import Claimed, LeaseLost
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.queue.gathering import gathering
from postroad.foundation.queue.wakeup import Wakeup
from postroad.foundation.storage import actions as storage
from postroad.foundation.storage.trouble import is_the_databases_own

log = logging.getLogger("postroad.queue")

LONGEST_WAIT = 300.0
LONGEST_TRANSACTION = 0.05
"""Seconds after which a batch is committed though it is not done: on SQLite, other processes wait for it.

Whoever accepts mail waits for the mail in hand only.
"""
LARGE = 65_536
"""Octets of a mail that is not loaded together with its neighbours."""
MOST_DEATHS = 5
"""A job whose worker died more often while holding it is quarantined instead of killing the next one."""

_FIRST_RETRY = 5.0
_SLOWEST_RETRY = 3600.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the timetable: the queue, what is done with a mail of it, and how many share a commit.

    A stage that waits for somebody outside must not hold a transaction meanwhile: its `outside` does that part first,
    and `work` then writes down, in the transaction, what came of it.
    """

    queue: str
    work: Callable[[Envelope], None] | Callable[[Envelope, Any], None] | Callable[[Sequence[Envelope]], None]
    batch: int = 25
    outside: Callable[[Envelope], Any] | None = None
    reads: bool = True
    """Whether the work loads each mail's content."""
    together: int = 1
    """How many mails `work` takes at once; with more than one it takes a sequence."""

    def do(self, envelopes: Sequence[Envelope], *before: Any) -> None:
        """Do the stage's work with these mails; `before` is what `outside` said."""
        work: Callable[..., None] = self.work
        if self.together > 1:
            work(envelopes)
        else:
            for envelope in envelopes:
                work(envelope, *before)


_Failure = tuple[Claimed, BaseException, str]
"""A job that could not be done, what went wrong, and the traceback."""


def worker_name(role: str) -> str:
    """How this home's process of a role signs its claims; a restarted one finds its own again."""
    home = zlib.crc32(os.fsencode(current().home))
    return f"{socket.gethostname()[:32]}:{home:08x}:{role}"


@contextmanager
def _transaction() -> Iterator[None]:
    with precedence.patient(), transaction.atomic(), memory.remembering():
        yield


def _at_hand(jobs: Sequence[Claimed]) -> AbstractContextManager[None]:
    """The contents of a batch's mails, loaded by one query; large ones one by one when their turn comes."""
    envelopes = (job.envelope for job in jobs)
    return storage.at_hand(e.message for e in envelopes if e.message and e.size < LARGE)


class Worker:
    """Runs stages until `stop()`; one thread, one database connection."""

    def __init__(self, role: str, stages: Sequence[Stage]) -> None:
        self.stages = stages
        self.name = worker_name(role)
        self._stopping = threading.Event()
        self._wakeup = Wakeup(role, [stage.queue for stage in stages])

    def run(self) -> None:
        """Work and wait until stopped; a database that is away is waited for, and what was claimed goes on at once."""
        pause, trouble = 0.0, None
        while not self._stopping.is_set():
            try:
                if trouble is not None:
                    actions.release_claims(self.name, deaths=0 if is_the_databases_own(trouble) else 1)
                    trouble = None
                busy = self.run_once()
                pause = 0.0
                if not busy and not self._stopping.is_set():
                    self._wait()
            except (OperationalError, InterfaceError) as error:
                trouble = trouble or error
                pause = min(max(1.0, pause * 2), 30.0) if is_the_databases_own(error) else 1.0
                log.error("the database refused, trying again in %.0f s: %s", pause, error)
                connection.close()
                self._stopping.wait(pause)
        connection.close()
        self._wakeup.close()

    def stop(self) -> None:
        """End after the batch in hand; callable from any thread or signal handler."""
        self._stopping.set()
        self._wakeup.wake()

    def run_once(self) -> int:
        """Work once through every stage, in order; how many mails were worked on."""
        return sum(self._batch(stage) for stage in self.stages)

    def run_until_idle(self) -> int:
        """Work until nothing is due, for tests, `upgrade`'s self-test and the demo; how many steps were done."""
        total = 0
        while done := self.run_once():
            total += done
        return total

    def _wait(self) -> None:
        due = actions.next_due([stage.queue for stage in self.stages])
        seconds = LONGEST_WAIT if due is None else min(LONGEST_WAIT, max(0.0, due - time.time()))
        self._wakeup.wait(seconds)

    def _batch(self, stage: Stage) -> int:
        with precedence.patient():
            jobs = actions.claim(stage.queue, self.name, stage.batch, suspects_alone=True)
        if not jobs:
            return 0
        failed: list[_Failure] = []
        waiting = deque(jobs)
        with _at_hand(jobs) if stage.reads and len(jobs) > 1 else nullcontext():
            while waiting:
                failed += self._commit(stage, waiting)
        for job, error, text in failed:
            with transaction.atomic():
                self._set_aside(job, error, text)
        return len(jobs)

    def _commit(self, stage: Stage, waiting: deque[Claimed]) -> list[_Failure]:
        """Work on as many mails as one transaction's time allows; those that failed, with what went wrong.

        Nothing goes wrong nearly always, so a batch is done or not done as a whole. Should a mail fail, the transaction
        is undone and its mails are worked on once more, each by itself.
        """
        if stage.outside or len(waiting) == 1:
            return self._singly(stage, [waiting.popleft()])
        taken: list[Claimed] = []
        try:
            with _transaction(), gathering():
                end = time.monotonic() + LONGEST_TRANSACTION
                while waiting and (not taken or not (time.monotonic() > end or precedence.is_awaited())):
                    part = [waiting.popleft() for _ in range(min(stage.together, len(waiting)))]
                    taken += part
                    stage.do([job.envelope for job in part])
                actions.acknowledge(*taken)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # noqa: BLE001 — whichever mail it was will fail again, and is told then
            return self._singly(stage, taken)
        return []

    def _singly(self, stage: Stage, jobs: Sequence[Claimed]) -> list[_Failure]:
        """Work on each of these mails so that it can fail without the others, in one transaction."""
        with nullcontext() if stage.outside else _transaction():
            return [failure for job in jobs if (failure := self._one(stage, job))]

    def _one(self, stage: Stage, job: Claimed) -> _Failure | None:
        """Do one job inside a savepoint; what went wrong is told, not raised."""
        if job.deaths > MOST_DEATHS:
            text = f"The worker died {job.deaths} times while it worked on this mail."
            return job, RuntimeError(text), text
        try:
            before = [stage.outside(job.envelope)] if stage.outside else []
            with transaction.atomic(), gathering():
                stage.do([job.envelope], *before)
                actions.acknowledge(job)
        except LeaseLost:
            memory.forget()
            log.warning("lease lost, work undone: %s", job.queue)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 — the one place: quarantined with its traceback
            memory.forget()
            return job, error, traceback.format_exc()
        return None

    def _set_aside(self, job: Claimed, error: BaseException, text: str) -> None:
        e = job.envelope
        if isinstance(error, TryLater):
            seconds = min(_SLOWEST_RETRY, _FIRST_RETRY * 2 ** min(job.attempts, 20))
            log.warning(
                "%s list=%s message_id=%s put off %.0f s: %s", job.queue, e.list_id, e.message_id, seconds, error
            )
            actions.put_off(job, seconds, str(error))
            return
        log.error("%s list=%s message_id=%s quarantined: %r", job.queue, e.list_id, e.message_id, error)
        actions.quarantine(job, text)
