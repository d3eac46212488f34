"""Runs the timetable's tasks: each at its time, once across all hosts, caught up after down-time, never by polling.

A task's row says when it is due next; whoever moves that moment first runs it. A host that dies while it runs one
leaves a lease behind; when that ends, the task is due again, so tasks must bear being repeated.
"""

import logging
import math
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection, transaction

from postroad.foundation.configuration import current
from postroad.foundation.queue.actions import paused_until
from postroad.foundation.queue.models import TaskRun

log = logging.getLogger("postroad.schedule")

DAY = 86_400.0
LONGEST_WAIT = 3600.0
LEASE_SECONDS = 1800.0
"""How long a task may take before another host believes its runner dead."""
RETRY_SECONDS = 300.0
"""When a task that failed is tried again, unless it is due before."""


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the timetable's second half: what is done, every how many seconds, at which second of that round.

    Without `every` it is housekeeping, done as often as `[mail] run_tasks_every` says. Rounds count from midnight
    UTC: `Task("digests", send, every=DAY, at=12 * 3600)` runs at noon.
    """

    name: str
    run: Callable[[], None]
    every: float | None = None
    at: float = 0.0

    @property
    def interval(self) -> float:
        """Seconds from one run to the next."""
        return max(1.0, current().mail.run_tasks_every if self.every is None else self.every)

    def next_after(self, moment: float) -> float:
        """The first time of its round behind `moment`, seconds since 1970."""
        rounds = math.floor((moment - self.at) / self.interval) + 1
        return rounds * self.interval + self.at


class Scheduler:
    """Waits for tasks and runs them until `stop()`; one thread, one database connection."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = {task.name: task for task in tasks}
        self._stopping = threading.Event()

    def run(self) -> None:
        """Run what comes due until stopped; a database that is away is waited for."""
        while not self._stopping.is_set():
            try:
                seconds = self.run_due()
            except (OperationalError, InterfaceError) as error:
                log.error("database away, trying again in 30 s: %s", error)
                connection.close()
                seconds = 30.0
            self._stopping.wait(seconds)
        connection.close()

    def stop(self) -> None:
        """End after the task in hand; callable from any thread."""
        self._stopping.set()

    def run_due(self) -> float:
        """Run everything that is due; seconds until the next task is."""
        resting_until = paused_until()
        if resting_until is not None:
            return min(LONGEST_WAIT, max(1.0, resting_until - time.time()))
        self._announce()
        due = TaskRun.objects.filter(name__in=self._tasks, due_at__lte=time.time()).order_by("due_at")
        for name, due_at in list(due.values_list("name", "due_at")):
            if self._stopping.is_set():
                return 0.0
            if _claimed(name, due_at):
                _run(self._tasks[name])
        upcoming = TaskRun.objects.filter(name__in=self._tasks).order_by("due_at").values_list("due_at", flat=True)
        first = upcoming.first()
        return min(LONGEST_WAIT, max(0.0, first - time.time())) if first is not None else LONGEST_WAIT

    def _announce(self) -> None:
        """Give new tasks a row, and a task whose interval was shortened its new time."""
        now = time.time()
        known = dict(TaskRun.objects.values_list("name", "due_at"))
        for name, task in self._tasks.items():
            upcoming = task.next_after(now)
            if name not in known:
                TaskRun.objects.get_or_create(name=name, defaults={"due_at": upcoming})
            elif known[name] > max(upcoming, now + LEASE_SECONDS):
                TaskRun.objects.filter(name=name, due_at=known[name]).update(due_at=upcoming)


def _claimed(name: str, due_at: float) -> bool:
    """Whether this host is the one to run it."""
    lease = time.time() + LEASE_SECONDS
    return TaskRun.objects.filter(name=name, due_at=due_at).update(due_at=lease, started_at=time.time()) == 1


def _run(task: Task) -> None:
    """Run one task; a failure is kept with its traceback and stops no other."""
    error = ""
    try:
        task.run()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        error = traceback.format_exc()
        log.exception("task %s failed", task.name)
    now = time.time()
    due_at = task.next_after(now)
    with transaction.atomic():
        TaskRun.objects.filter(name=task.name).update(
            due_at=min(due_at, now + RETRY_SECONDS) if error else due_at, finished_at=now, error=error
        )
