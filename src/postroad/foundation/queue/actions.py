"""The verbs of the queue: put, claim, acknowledge, put off, quarantine, retry; pause and resume.

A stage calls `put` and `record` inside its own transaction; the worker loop does the rest. Claims need no
durability (a lost claim is claimed again), so they do not wait for the disk; acknowledgements do.
"""

import functools
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import connection, transaction
from django.db.models import F, QuerySet

from postroad.foundation.errors import last_line
from postroad.foundation.queue import gathering, wakeup
from postroad.foundation.queue.envelope import Envelope, decode, encode
from postroad.foundation.queue.models import Job, Pause, Step
from postroad.foundation.rows import add as add_row
from postroad.foundation.rows import marks

LEASE_SECONDS = 120.0
PAUSE_NOTICED_SECONDS = 0.25
"""Who changes something and claims nothing looks at least this often whether a pause began."""

_INSERT_JOB = (
    "INSERT INTO queue_job (queue, state, due_at, envelope, attempts, deaths, claim, worker, created_at,"
    " list_id, message_id, error)"
)
_INSERT_STEP = "INSERT INTO queue_step (journey, message_id, list_id, at, stage, outcome, reason, reference)"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job this worker may work on until its lease ends."""

    id: int
    claim: int
    queue: str
    envelope: Envelope
    attempts: int
    created_at: float
    deaths: int = 0
    """Workers that ended while they held it; it may be what killed them."""


def new_journey() -> str:
    """A fresh name for one accepted mail's way through Postroad; young ones are neighbours in the index."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"


def put(queue: str, envelope: Envelope, due_at: float | None = None, error: str = "") -> None:
    """Queue one mail for a stage, from `due_at` (seconds since 1970, now unless told) on, for this `error` if any."""
    put_many(queue, (envelope,), due_at, error)


def put_many(queue: str, envelopes: Iterable[Envelope], due_at: float | None = None, error: str = "") -> None:
    """Queue mails for a stage in one statement; the stage is woken when the transaction commits."""
    _insert(queue, Job.State.LIVE, envelopes, due_at, error)
    wakeup.notify(queue)


def put_rest(job: Claimed, envelope: Envelope, due_at: float, error: str) -> None:
    """Queue what is left to do of a job, as old and as often tried, to be tried again from `due_at` on."""
    _insert(job.queue, Job.State.LIVE, (envelope,), due_at, error, job)
    wakeup.notify(job.queue)


def put_now(queue: str, envelope: Envelope) -> int:
    """Queue one mail for a stage, written at once even where rows are gathered; the key of its job."""
    now = time.time()
    key = add_row(
        Job, queue=queue, due_at=now, created_at=now, envelope=encode(envelope),
        list_id=envelope.list_id, message_id=envelope.message_id[:998],
    )  # fmt: skip
    wakeup.notify(queue)
    return key


def set_aside(queue: str, envelope: Envelope, error: str) -> None:
    """Queue a mail as quarantined: it waits for a person's retry or drop; the journey says why."""
    _insert(queue, Job.State.QUARANTINED, (envelope,), error=error)
    record(envelope, queue, "quarantined", error)


def _insert(
    queue: str,
    state: Job.State,
    envelopes: Iterable[Envelope],
    due_at: float | None = None,
    error: str = "",
    rest_of: Claimed | None = None,
) -> None:
    now = time.time()
    due = now if due_at is None else due_at
    attempts, since = (rest_of.attempts, rest_of.created_at) if rest_of else (0, now)
    rows = [
        (queue, int(state), due, encode(e), attempts, 0, 0, "", since, e.list_id, e.message_id[:998], error)
        for e in envelopes
    ]
    gathering.insert(_INSERT_JOB, rows)


def record(envelope: Envelope, stage: str, outcome: str, reason: str = "", reference: str = "") -> None:
    """Write one step of the mail's journey, in the transaction that takes the step."""
    record_many([(envelope, stage, outcome, reason, reference)])


def record_many(steps: Iterable[tuple[Envelope, str, str, str, str]]) -> None:
    """Write several steps (envelope, stage, outcome, reason, reference) in one statement."""
    now = time.time()
    rows = [
        (e.journey, e.message_id[:998], e.list_id, now, stage, outcome, reason.replace("\0", " "), reference)
        for e, stage, outcome, reason, reference in steps
    ]
    gathering.insert(_INSERT_STEP, rows)


def claim(
    queue: str, worker: str, limit: int, lease: float = LEASE_SECONDS, *, suspects_alone: bool = False
) -> list[Claimed]:
    """Take up to `limit` due jobs for `lease` seconds, the oldest first; nobody else gets them meanwhile.

    With `suspects_alone` a job whose worker died comes without others, so that none of them is blamed for the next
    death.
    """
    token = secrets.randbits(62)
    now = time.time()
    postgres = connection.vendor == "postgresql"
    due = _due(postgres=postgres, suspects_alone=suspects_alone)
    if not postgres:
        with connection.cursor() as cursor:
            # A look without the write lock: an idle stage must not disturb the writers.
            cursor.execute("SELECT 1 FROM queue_job WHERE queue=%s AND state=0 AND due_at<=%s LIMIT 1", (queue, now))
            if cursor.fetchone() is None:
                return []
            cursor.execute("PRAGMA synchronous=NORMAL")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if postgres:
                cursor.execute("SET LOCAL synchronous_commit=off")
            cursor.execute(
                # Who still holds it has let its lease end: it died.
                "UPDATE queue_job SET deaths=deaths+CASE WHEN claim<>0 THEN 1 ELSE 0 END,"  # noqa: S608
                " due_at=%s, claim=%s, worker=%s, attempts=attempts+1"
                # As an array: PostgreSQL may look for those of an IN again for each row, and claim more than the limit.
                f" WHERE id {f'= ANY (ARRAY({due}))' if postgres else f'IN ({due})'}"
                " RETURNING id, envelope, attempts, created_at, deaths",
                (now + lease, token, worker, queue, now, now, limit),
            )
            rows = cursor.fetchall()
    finally:
        if not postgres:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous=FULL")
    return [
        Claimed(id_, token, queue, decode(data), attempts, made, deaths)
        for id_, data, attempts, made, deaths in sorted(rows, key=lambda row: row[0])
    ]


@functools.cache
def _due(*, postgres: bool, suspects_alone: bool) -> str:
    """The query of the jobs that are due; alone, the first when its worker died, else those before the first such."""
    due = (
        " FROM queue_job WHERE queue=%s AND state=0 AND due_at<=%s"  # noqa: S608 — our words
        " AND NOT EXISTS (SELECT 1 FROM queue_pause WHERE until>%s) ORDER BY due_at, id LIMIT %s"
        f"{' FOR UPDATE SKIP LOCKED' if postgres else ''}"
    )
    if not suspects_alone:
        return f"SELECT id{due}"
    suspect = "CASE WHEN deaths > 0 OR claim <> 0 THEN 1 ELSE 0 END AS suspect"
    return (
        "SELECT id FROM (SELECT id, row_number() OVER in_order AS place, max(suspect) OVER in_order AS worst"  # noqa: S608 — our words
        f" FROM (SELECT id, due_at, {suspect}{due}) due WINDOW in_order AS (ORDER BY due_at, id)) placed"
        " WHERE worst = 0 OR place = 1"
    )


class LeaseLost(Exception):
    """Another worker took the job over; what was done for it must not be committed."""


def acknowledge(*jobs: Claimed) -> None:
    """The stage's work is done: remove jobs, in the transaction that did the work.

    Raises:
        LeaseLost: the lease of one ended and another worker has it; roll back.
    """
    claims = {job.claim for job in jobs}
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM queue_job WHERE id IN ({marks(len(jobs))}) AND claim IN ({marks(len(claims))})",  # noqa: S608 — marks
            [*(job.id for job in jobs), *claims],
        )
        if cursor.rowcount != len(jobs):
            raise LeaseLost(f"{len(jobs)} jobs of queue {jobs[0].queue}, the first of them {jobs[0].id}")


def go_on(job: Claimed, envelope: Envelope) -> Claimed:
    """Do the next step of the same stage with a job at once, still holding it, in the present transaction.

    Raises:
        LeaseLost: the lease ended and another worker has the job; roll back.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE queue_job SET envelope=%s WHERE id=%s AND claim=%s", (encode(envelope), job.id, job.claim)
        )
        if cursor.rowcount != 1:
            raise LeaseLost(f"job {job.id} of queue {job.queue}")
    return replace(job, envelope=envelope)


def renew(jobs: Sequence[Claimed], lease: float = LEASE_SECONDS) -> None:
    """Keep jobs that take long for `lease` seconds from now."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE queue_job SET due_at=%s WHERE id=%s AND claim=%s",
            [(time.time() + lease, job.id, job.claim) for job in jobs],
        )


def put_off(job: Claimed, seconds: float, error: str = "") -> None:
    """Give a job back, to be tried again after `seconds`."""
    Job.objects.filter(id=job.id, claim=job.claim).update(due_at=time.time() + seconds, claim=0, worker="", error=error)
    wakeup.notify(job.queue)


def quarantine(job: Claimed, error: str) -> None:
    """Set a job aside with what went wrong; it stays until a person retries or drops it."""
    Job.objects.filter(id=job.id, claim=job.claim).update(state=Job.State.QUARANTINED, claim=0, worker="", error=error)
    record(job.envelope, job.queue, "quarantined", last_line(error), str(job.id))


def retry(job_ids: Iterable[int]) -> int:
    """Put quarantined jobs back to their stages; tells how many there were."""
    jobs = Job.objects.filter(id__in=list(job_ids), state=Job.State.QUARANTINED)
    return _come_due(jobs, state=Job.State.LIVE, attempts=0, deaths=0, error="")


def try_now() -> int:
    """Let everything that was put off come due at once; tells how much that was."""
    return _come_due(Job.objects.filter(state=Job.State.LIVE, claim=0, due_at__gt=time.time()).exclude(error=""))


def bring_forward(queue: str, error: str, seconds: float) -> int:
    """Let what was put off for this reason come due `seconds` earlier, in the same order; tells how much that was."""
    jobs = Job.objects.filter(queue=queue, state=Job.State.LIVE, claim=0, error=error, due_at__gt=time.time())
    count = jobs.update(due_at=F("due_at") - seconds)
    wakeup.notify(queue)
    return count


def first_put_off(queue: str, list_id: str, error: str) -> Envelope | None:
    """The first of a list's mails that nobody holds and that was put off for this reason."""
    jobs = Job.objects.filter(queue=queue, state=Job.State.LIVE, claim=0, list_id=list_id, error=error)
    job = jobs.order_by("due_at", "id").first()
    return decode(bytes(job.envelope)) if job is not None else None


def _come_due(jobs: "QuerySet[Job]", **changes: object) -> int:
    queues = set(jobs.values_list("queue", flat=True))
    count = jobs.update(due_at=time.time(), **changes)
    for queue in queues:
        wakeup.notify(queue)
    return count


@transaction.atomic
def drop(job_ids: Iterable[int]) -> int:
    """Remove quarantined jobs for good, and write that into their journeys; tells how many there were."""
    found = list(Job.objects.filter(id__in=list(job_ids), state=Job.State.QUARANTINED))
    for job in found:
        record(decode(bytes(job.envelope)), job.queue, "dropped", "by the administrator")
        job.delete()
    return len(found)


def release_claims(worker: str, *, deaths: int = 1) -> int:
    """Make everything due again that a worker of this name held when it died; tells how much.

    With `deaths=0` nobody is blamed: what stopped the worker had nothing to do with what it held.
    """
    jobs = Job.objects.filter(worker=worker, state=Job.State.LIVE).exclude(claim=0)
    return jobs.update(due_at=time.time(), claim=0, worker="", deaths=F("deaths") + deaths)


def next_due(queues: Sequence[str]) -> float | None:
    """When the next job of these queues may be claimed, seconds since 1970; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(due_at), (SELECT max(until) FROM queue_pause)"  # noqa: S608
            f" FROM queue_job WHERE state=0 AND queue IN ({marks(len(queues))})",
            list(queues),
        )
        due, paused = cursor.fetchone()
    moments: list[float] = [moment for moment in (due, paused) if moment is not None]
    return max(moments) if due is not None else None


def pause(seconds: float, reason: str) -> None:
    """Let nothing be claimed for `seconds` from now; whoever needs longer pauses again before that is over."""
    Pause.objects.update_or_create(pk=1, defaults={"until": time.time() + seconds, "reason": reason[:200]})


def resume() -> None:
    """End the pause and wake everybody who has something to do."""
    Pause.objects.all().delete()
    for queue in Job.objects.values_list("queue", flat=True).distinct():
        wakeup.notify(queue)


def paused_until() -> float | None:
    """When the present pause ends, seconds since 1970; None when work goes on."""
    return Pause.objects.filter(until__gt=time.time()).values_list("until", flat=True).first()


def in_hand() -> int:
    """How many jobs workers hold just now."""
    return Job.objects.filter(state=Job.State.LIVE, due_at__gt=time.time()).exclude(claim=0).count()


def times_done(envelope: Envelope, stage: str, outcome: str) -> int:
    """How often a mail of this Message-ID came to this outcome on its list before, on whatever journey."""
    asked = (envelope.message_id[:998], envelope.list_id, stage, outcome)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM queue_step WHERE message_id=%s AND list_id=%s AND stage=%s AND outcome=%s", asked
        )
        count: int = cursor.fetchone()[0]
    return count + sum((row[1], row[2], row[4], row[5]) == asked for row in gathering.not_yet_inserted(_INSERT_STEP))


def steps_of(message_id: str) -> list[Step]:
    """Every step of every journey of this Message-ID (without angle brackets), in order.

    A mail that got another Message-ID on its way, as on an anonymous list, is found by the first one too.
    """
    journeys = Step.objects.filter(message_id=message_id[:998]).values("journey")
    return list(Step.objects.filter(journey__in=journeys).order_by("id"))
