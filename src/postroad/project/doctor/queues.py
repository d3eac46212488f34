"""Does mail move? What waits too long, stands in quarantine, kills its workers, or failed at its time."""

import time
from collections.abc import Iterator

from django.db.models import Count, Min, Q

from postroad.foundation.errors import last_line
from postroad.foundation.queue.actions import paused_until
from postroad.foundation.queue.models import Job, TaskRun
from postroad.project.doctor.finding import Finding, bad, note, ok

LATE_SECONDS = 600
"""A job that has been due for so long waits for nobody but a stage that does not work."""
PUT_OFF_SECONDS = 86_400


def look() -> Iterator[Finding]:
    """Late, put off, quarantined, deadly; then the timetable."""
    now = time.time()
    if paused_until() is not None:
        yield note("the site rests: mail is accepted and kept", "An upgrade ends it; else `postroad upgrade`")
    findings = [*_late(now), *_put_off(now), *_set_aside(), *_tasks()]
    waiting = Job.objects.filter(state=Job.State.LIVE).count()
    yield from findings or [ok(f"jobs that wait: {waiting}, none for long, none in quarantine")]


def _late(now: float) -> Iterator[Finding]:
    late = Q(state=Job.State.LIVE, due_at__lt=now - LATE_SECONDS)
    rows = Job.objects.filter(late).values("queue").annotate(count=Count("id"), since=Min("due_at")).order_by("queue")
    for row in rows:
        yield bad(
            f"jobs of {row['queue']} that have waited for up to {_age(now - row['since'])}: {row['count']}",
            "Start the service; if it runs, its log says what holds it up",
        )


def _put_off(now: float) -> Iterator[Finding]:
    old = Job.objects.filter(state=Job.State.LIVE, queue="delivery", created_at__lt=now - PUT_OFF_SECONDS)
    count = old.exclude(error="").count()
    if count:
        yield note(f"deliveries put off for more than a day: {count}", "`postroad queue deferred` says why")


def _set_aside() -> Iterator[Finding]:
    quarantined = Job.objects.filter(state=Job.State.QUARANTINED).count()
    if quarantined:
        yield bad(
            f"jobs in quarantine: {quarantined}",
            "`postroad queue quarantined` says why; then `postroad queue retry --all`, or drop",
        )
    deadly = Job.objects.filter(state=Job.State.LIVE, deaths__gt=0).count()
    if deadly:
        yield bad(f"jobs whose worker died while it held them: {deadly}", "The kernel's and the service's log: memory?")


def _tasks() -> Iterator[Finding]:
    for task in TaskRun.objects.exclude(error="").order_by("name"):
        reason = last_line(task.error)
        yield bad(
            f"“{task.name}” failed at its last time: {reason}", "It is tried again by itself; the log has all of it"
        )


def _age(seconds: float) -> str:
    for length, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"
