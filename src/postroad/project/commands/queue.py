"""`postroad queue`: what waits, what was put off or quarantined and why; try again, and drop."""

import json
import time
from collections.abc import Sequence
from typing import Any

import click

from postroad.project.cli import SiteGroup

_MOST_REASONS = 20


@click.group("queue", cls=SiteGroup)
def command() -> None:
    """See what waits and why; try again, or drop."""


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(as_json: bool) -> None:
    """Each queue: how much waits, since when, and how much of it was deferred; how much is quarantined."""
    from django.db.models import Count, Min, Q

    from postroad.foundation.queue.models import Job
    from postroad.mailflow.timetable import QUEUES

    live, aside = Q(state=Job.State.LIVE), Q(state=Job.State.QUARANTINED)
    counts = Job.objects.values("queue").annotate(
        waiting=Count("id", filter=live), deferred=Count("id", filter=live & ~Q(error="")),
        quarantined=Count("id", filter=aside), oldest=Min("created_at", filter=live),
    )  # fmt: skip
    by_name = {row["queue"]: row for row in counts}
    empty = {"waiting": 0, "deferred": 0, "quarantined": 0, "oldest": None}
    rows: list[dict[str, Any]] = [{**empty, **by_name.get(name, {}), "queue": name} for name in QUEUES]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    click.echo(f"{'queue':16}{'waiting':>10}{'deferred':>10}{'quarantined':>14}{'oldest':>12}")
    for row in rows:
        age = f"{time.time() - row['oldest']:.0f} s" if row["oldest"] else "-"
        click.echo(f"{row['queue']:16}{row['waiting']:>10}{row['deferred']:>10}{row['quarantined']:>14}{age:>12}")


@command.command("deferred")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def deferred(as_json: bool) -> None:
    """Why mail is tried again later: each reason, how much waits for it, and when the next of that is due."""
    from django.db.models import Count, Min

    from postroad.foundation.errors import last_line
    from postroad.foundation.queue.models import Job

    rows = Job.objects.filter(state=Job.State.LIVE).exclude(error="").values("queue", "error")
    found = list(rows.annotate(count=Count("id"), due_at=Min("due_at")).order_by("-count", "queue", "error"))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for row in found[:_MOST_REASONS]:
        due = max(0.0, row["due_at"] - time.time())
        click.echo(f"{row['count']:>8}  {row['queue']:14} due in {due:.0f} s\n{'':10}{last_line(row['error'])}")
    if len(found) > _MOST_REASONS:
        click.echo(f"{len(found) - _MOST_REASONS} more reasons; --json has all of them.", err=True)


@command.command("flush")
def flush() -> None:
    """Try everything that is deferred now, and not when its time comes: the relay is back."""
    from postroad.foundation.queue import actions

    click.echo(f"{actions.try_now()} to be tried now")


@command.command("quarantined")
@click.option("--traceback", is_flag=True, help="All of the error, not only its last line.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def quarantined(traceback: bool, as_json: bool) -> None:
    """What a stage could not do, with the reason."""
    from postroad.foundation.errors import last_line
    from postroad.foundation.queue.models import Job

    jobs = Job.objects.filter(state=Job.State.QUARANTINED).order_by("id")
    if as_json:
        fields = ("id", "queue", "list_id", "message_id", "attempts", "deaths", "error")
        click.echo(json.dumps(list(jobs.values(*fields)), indent=2))
        return
    for job in jobs:
        reason = job.error.strip() if traceback else last_line(job.error)
        click.echo(f"{job.pk:>8}  {job.queue:14} {job.list_id:30} {job.message_id}\n{'':10}{reason}")


@command.command("retry")
@click.argument("jobs", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Everything that is quarantined.")
def retry(jobs: tuple[int, ...], everything: bool) -> None:
    """Give quarantined JOBS back to their stages."""
    from postroad.foundation.queue import actions
    from postroad.foundation.queue.models import Job

    if not jobs and not everything:
        raise click.UsageError("Name jobs, as `postroad queue quarantined` shows them, or say --all.")
    all_of_them = Job.objects.filter(state=Job.State.QUARANTINED).values_list("pk", flat=True)
    click.echo(f"{actions.retry(all_of_them if everything else _known(jobs))} to be tried again")


@command.command("drop")
@click.argument("jobs", nargs=-1, type=int, required=True)
@click.confirmation_option(prompt="Dropped mail is gone. Drop it?")
def drop(jobs: tuple[int, ...]) -> None:
    """Remove quarantined JOBS for good; the journey says so."""
    from postroad.foundation.queue import actions

    click.echo(f"dropped {actions.drop(_known(jobs))}")


def _known(jobs: Sequence[int]) -> Sequence[int]:
    """These jobs, when all of them are quarantined.

    Raises:
        NotFound: one is not.
    """
    from postroad.foundation.errors import NotFound
    from postroad.foundation.queue.models import Job

    there = set(Job.objects.filter(state=Job.State.QUARANTINED, pk__in=jobs).values_list("pk", flat=True))
    missing = ", ".join(str(job) for job in jobs if job not in there)
    if missing:
        raise NotFound(f"Not quarantined: {missing}; `postroad queue quarantined` names them all.")
    return jobs
