"""What became of a mail: its steps, what still waits, and each recipient's reply."""

from dataclasses import dataclass

from postroad.foundation.errors import NotFound, last_line
from postroad.foundation.queue.actions import steps_of
from postroad.foundation.queue.models import Job, Step
from postroad.mailflow.delivery.queries import replies_of


@dataclass(frozen=True, slots=True)
class Trace:
    """The journey of one Message-ID, through every list it came to."""

    message_id: str
    steps: list[Step]
    waiting: list[Job]
    replies: list[tuple[str, str, str]]
    """List-id, recipient, and the relay's latest reply ("" for none yet)."""

    def plain(self) -> dict[str, object]:
        """As JSON shows it; moments are seconds since 1970."""
        keys = ("at", "list_id", "stage", "outcome", "reason")
        return {
            "message_id": self.message_id,
            "steps": [{key: getattr(step, key) for key in keys} for step in self.steps],
            "waiting": [
                {"queue": j.queue, "due_at": j.due_at, "state": j.get_state_display(), "reason": reason_of(j)}
                for j in self.waiting
            ],
            "replies": [{"list_id": r[0], "recipient": r[1], "reply": r[2]} for r in self.replies],
        }


def reason_of(job: Job) -> str:
    """Why the last attempt failed, on one line; empty when there was none."""
    return last_line(job.error)


def trace(message_id: str, recipient: str | None = None, list_id: str | None = None, *, replies: bool = True) -> Trace:
    """What became of a mail (Message-ID with or without angle brackets), for one recipient or list if told.

    Raises:
        NotFound: it was never accepted, or its journey is older than is kept.
    """
    wanted = message_id.strip().strip("<>")
    steps = [step for step in steps_of(wanted) if list_id in (None, step.list_id)]
    if not steps:
        raise NotFound(f"No mail <{wanted}> was ever accepted here (or its journey is older than is kept).")
    jobs = Job.objects.filter(message_id=wanted[:998]).order_by("id")
    found = replies_of(wanted, recipient) if replies else ()
    return Trace(
        wanted,
        steps,
        [job for job in jobs if list_id in (None, job.list_id)],
        [reply for reply in found if list_id in (None, reply[0])],
    )
