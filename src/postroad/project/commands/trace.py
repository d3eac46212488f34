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
    from postroad.project.tracing import reason_of, trace

    found = trace(message_id, recipient, replies=recipients or recipient is not None)
    if as_json:
        click.echo(json.dumps(found.plain(), indent=2))
        return
    for step in found.steps:
        click.echo(f"{_when(step.at)}  {step.list_id:28} {step.stage:13} {step.outcome:12} {step.reason}".rstrip())
    for job in found.waiting:
        state = "quarantined" if job.state else f"due {_when(job.due_at)}"
        tried = f"; attempt {job.attempts}: {reason}" if (reason := reason_of(job)) else ""
        click.echo(f"{'':21}  {job.list_id:28} {job.queue:13} waiting      {state}{tried}")
    for _, address, reply in found.replies:
        click.echo(f"{'':23}{address:45} {reply or 'no reply yet'}")
    if recipient and not found.replies:
        click.echo(f"{'':23}{recipient:45} is not among those it goes to")


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 10)}"
