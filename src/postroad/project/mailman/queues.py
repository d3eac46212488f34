"""inject, qfile, unshunt (facts: cli §7)."""

import sys
import time
from pathlib import Path

import click

from postroad.project.mailman.cli import fail, site_command

QUEUES = {
    "in": "moderation", "pipeline": "pipeline", "virgin": "pipeline", "archive": "archive", "bounces": "bounces",
    "command": "mail_commands", "digest": "digests", "nntp": "usenet",
}  # fmt: skip
"""Mailman's queue → ours."""
_KINDS = {"bounces": "bounces", "command": "request", "virgin": "notice"}


@site_command("inject")
@click.option("-q", "--queue", default="in", help="Which queue.")
@click.option("-f", "--filename", default="-", help="The mail; - is standard input.")
@click.option("-m", "--metadata", multiple=True, metavar="KEY=VALUE", help="sender or recipient of the envelope.")
@click.option("-s", "--show", is_flag=True, help="Show the queues' names.")
@click.argument("listspec", required=False)
def inject(queue: str, filename: str, metadata: tuple[str, ...], show: bool, listspec: str | None) -> None:
    """Put a mail into a queue of LISTSPEC."""
    from postroad.foundation.message.headers import Headers
    from postroad.foundation.message.message_id import message_id_of, new_message_id
    from postroad.foundation.queue import actions
    from postroad.foundation.queue.envelope import Envelope
    from postroad.foundation.storage.actions import store
    from postroad.project.mailman.rosters import the_list

    if show:
        click.echo("Available queues:")
        for name in sorted(QUEUES):
            click.echo(f"    {name}")
        return
    if not listspec:
        raise fail("LISTSPEC is needed")
    if queue not in QUEUES:
        raise fail(f"no such queue: {queue}; there are {', '.join(sorted(QUEUES))}")
    mailing_list = the_list(listspec)
    given = dict(pair.partition("=")[::2] for pair in metadata)
    unknown = set(given) - {"sender", "recipient"}
    if unknown:
        raise fail(f"unknown metadata: {', '.join(sorted(unknown))}; sender and recipient can be given")
    raw = sys.stdin.buffer.read() if filename == "-" else _read(filename)
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    message_id = message_id_of(Headers.parse(raw)) or new_message_id(mailing_list.mail_host)
    envelope = Envelope(
        journey=actions.new_journey(), message=store(raw), message_id=message_id, received_at=time.time(),
        size=len(raw), list_id=mailing_list.list_id, kind=_KINDS.get(queue, "posting"),  # type: ignore[arg-type]
        recipient=given.get("recipient", mailing_list.fqdn_listname), sender=given.get("sender", ""),
    )  # fmt: skip
    actions.put(QUEUES[queue], envelope)
    actions.record(envelope, "inject", "accepted", "by the administrator")


def _read(filename: str) -> bytes:
    try:
        return Path(filename).read_bytes()
    except OSError as error:
        raise fail(f"{filename}: {error.strerror}") from None


@site_command("qfile")
@click.option("-p/-n", "--print/--no-print", "print_", default=True, help="Print, or only look whether it can be read.")
@click.option("-i", "--interactive", is_flag=True, help="A Python prompt with the entry as `m`.")
@click.argument("entry")
def qfile(print_: bool, interactive: bool, entry: str) -> None:
    """Show the queue entry of this number; `postroad queue show` and `queue quarantined` tell the numbers."""
    from postroad.foundation.queue.envelope import decode
    from postroad.foundation.queue.models import Job
    from postroad.foundation.storage.actions import load_many

    job = Job.objects.filter(pk=int(entry)).first() if entry.isdigit() else None
    if job is None:
        raise fail(f"no queue entry {entry}; entries have numbers here, and old files are read by `postroad import`")
    envelope = decode(bytes(job.envelope))
    raw = load_many([envelope.message]).get(envelope.message, b"")
    if print_:
        click.echo(f"[----- start {job.queue} {job.pk} -----]")
        click.echo(raw.decode("utf-8", "replace").replace("\r\n", "\n"))
        click.echo(f"[----- envelope -----]\n{envelope}")
        if job.error:
            click.echo(f"[----- error -----]\n{job.error}")
        click.echo("[----- end -----]")
    if interactive:
        import code

        code.interact(f"m is entry {job.pk}", local={"m": envelope, "raw": raw})


@site_command("unshunt")
@click.option("-d", "--discard", is_flag=True, help="Drop everything instead.")
def unshunt(discard: bool) -> None:
    """Try everything again that is quarantined."""
    from postroad.foundation.queue import actions
    from postroad.foundation.queue.models import Job

    jobs = list(Job.objects.filter(state=Job.State.QUARANTINED).values_list("pk", flat=True))
    if discard:
        actions.drop(jobs)
    else:
        actions.retry(jobs)
