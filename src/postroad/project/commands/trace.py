"""`postroad trace`: the journey of a mail, stage by stage, down to each recipient's SMTP reply."""

import json
import time

import click

from postroad.project.cli import home_option, open_home


@click.command("trace")
@home_option
@click.argument("message_id")
@click.option("--recipient", metavar="ADDRESS", help="Only this recipient's replies.")
@click.option("--recipients/--no-recipients", default=True, help="Each recipient's reply, or only the stages.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(home: str | None, message_id: str, recipient: str | None, recipients: bool, as_json: bool) -> None:
    """Tell what became of MESSAGE_ID (with or without its angle brackets)."""
    open_home(home)
    from postroad.foundation.errors import NotFound
    from postroad.foundation.queue.actions import steps_of
    from postroad.foundation.queue.models import Job
    from postroad.mailflow.delivery.queries import replies_of

    wanted = message_id.strip().strip("<>")
    steps = steps_of(wanted)
    if not steps:
        raise NotFound(f"No mail <{wanted}> was ever accepted here (or its journey is older than is kept).")
    replies = list(replies_of(wanted, recipient)) if recipients or recipient else []
    jobs = Job.objects.filter(message_id=wanted[:998]).order_by("id")
    if as_json:
        click.echo(
            json.dumps(
                {
                    "message_id": wanted,
                    "steps": [
                        {k: getattr(s, k) for k in ("at", "list_id", "stage", "outcome", "reason")} for s in steps
                    ],
                    "waiting": [{"queue": j.queue, "due_at": j.due_at, "state": j.get_state_display()} for j in jobs],
                    "replies": [{"list_id": r[0], "recipient": r[1], "reply": r[2]} for r in replies],
                },
                indent=2,
            )
        )
        return
    for step in steps:
        click.echo(f"{_when(step.at)}  {step.list_id:28} {step.stage:13} {step.outcome:12} {step.reason}".rstrip())
    for job in jobs:
        state = "quarantined" if job.state else f"due {_when(job.due_at)}"
        click.echo(
            f"{'':21}  {job.list_id:28} {job.queue:13} waiting      {state}; attempt {job.attempts} {job.error[-80:]}"
        )
    for _, address, reply in replies:
        click.echo(f"{'':23}{address:45} {reply or 'no reply yet'}")


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 10)}"
