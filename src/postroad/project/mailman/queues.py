"""inject, qfile, unshunt (facts: cli §7)."""

import sys
from pathlib import Path
from typing import Any

import click

from postroad.project.mailman.cli import fail, site_command


@site_command("inject")
@click.option("-q", "--queue", default="in", help="Which queue.")
@click.option("-f", "--filename", default="-", help="The mail; - is standard input.")
@click.option("-m", "--metadata", multiple=True, metavar="KEY=VALUE", help="sender or recipient of the envelope.")
@click.option("-s", "--show", is_flag=True, help="Show the queues' names.")
@click.argument("listspec", required=False)
def inject(queue: str, filename: str, metadata: tuple[str, ...], show: bool, listspec: str | None) -> None:
    """Put a mail into a queue of LISTSPEC."""
    from postroad.project import queues
    from postroad.project.mailman.rosters import the_list

    if show:
        click.echo("Available queues:\n" + "".join(f"    {name}\n" for name in sorted(queues.QUEUES)), nl=False)
        return
    if not listspec:
        raise fail("LISTSPEC is needed")
    mailing_list = the_list(listspec)
    given = dict(pair.partition("=")[::2] for pair in metadata)
    unknown = set(given) - {"sender", "recipient"}
    if unknown:
        raise fail(f"unknown metadata: {', '.join(sorted(unknown))}; sender and recipient can be given")
    raw = sys.stdin.buffer.read() if filename == "-" else _read(filename)
    queues.inject(queue, mailing_list, raw, by="by the administrator", **given)


def _read(filename: str) -> bytes:
    try:
        return Path(filename).read_bytes()
    except OSError as error:
        raise fail(f"{filename}: {error.strerror}") from None


@site_command("qfile")
@click.option("-p/-n", "--print/--no-print", "print_", default=True, help="Print, or only look whether it can be read.")
@click.option("-i", "--interactive", is_flag=True, help="A Python prompt with the objects as `m`.")
@click.argument("entry", metavar="ENTRY")
def qfile(print_: bool, interactive: bool, entry: str) -> None:
    """Show what a queue entry holds: one of ours by its number (`postroad queue show`), or a file of an old queue."""
    objects = _entry(int(entry)) if entry.isdigit() else _old_file(entry)
    if print_:
        click.echo("[----- start pickle -----]")
        for number, found in enumerate(objects, 1):
            click.echo(f"<----- start object {number} ----->")
            click.echo(found.decode("utf-8", "replace").replace("\r\n", "\n") if isinstance(found, bytes) else found)
        click.echo("[----- end pickle -----]")
    if interactive:
        import code

        code.interact(f"m holds what is in {entry}", local={"m": objects})


def _entry(number: int) -> list[Any]:
    """The mail, its envelope and, if there is one, the error of an entry of ours."""
    from postroad.foundation.queue.envelope import decode
    from postroad.foundation.queue.models import Job
    from postroad.foundation.storage.actions import load_many

    job = Job.objects.filter(pk=number).first()
    if job is None:
        raise fail(f"no queue entry {number}; `postroad queue show` tells what waits")
    envelope = decode(bytes(job.envelope))
    raw = load_many([envelope.message]).get(envelope.message, b"")
    return [raw, f"{job.queue}: {envelope}", *([job.error] if job.error else [])]


def _old_file(name: str) -> list[Any]:
    """The mail and its metadata from a file of Mailman's queues, which is read and never run."""
    import pprint

    from postroad.foundation.errors import BadInput
    from postroad.upgrade.mailman3.messages import queue_file

    try:
        raw, metadata = queue_file(_read(name))
    except BadInput as error:
        raise fail(f"{name}: {error}") from None
    return [raw, pprint.pformat(metadata)]


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
