"""hyperkitty_import: mailboxes become a list's archive."""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postroad.foundation.errors import BadInput, NotFound
from postroad.project.mailman_web.cli import web_command

if TYPE_CHECKING:
    from postroad.upgrade.importing.plan import Item


@web_command("hyperkitty_import")
@click.argument("files", nargs=-1, required=True, metavar="MBOX...", type=click.Path(path_type=Path))
@click.option("-l", "--list-address", required=True, metavar="LIST", help="The list whose archive they become.")
@click.option("--since", metavar="DATE", help="Only mails from then on, such as 2020-01-31.")
@click.option("--no-sync-mailman", is_flag=True, help="Accepted: there is nothing to synchronise.")
@click.option("--ignore-mtime", is_flag=True, help="Read files too that were last changed before --since.")
@click.option("--delete", is_flag=True, help="Accepted, and without effect, as ever.")
def hyperkitty_import(
    files: tuple[Path, ...], list_address: str, since: str | None, no_sync_mailman: bool, ignore_mtime: bool,
    delete: bool,
) -> None:  # fmt: skip
    """Archive the mails of mbox files, as `postroad import mbox` does: threaded and searchable at once.

    What is archived already is passed over, so all of a file may be given again and again.
    """
    from postroad.community.lists.queries import find_list
    from postroad.upgrade.importing.engine import run
    from postroad.upgrade.importing.progress import progress_for
    from postroad.upgrade.importing.report import as_text
    from postroad.upgrade.mbox.mailboxes import format_of
    from postroad.upgrade.mbox.steps import Mailbox, mails_step, source_name

    if "@" not in list_address:
        raise BadInput(f"the address of a list is needed, not {list_address}")
    found = find_list(list_address)
    if found is None:
        raise NotFound(f"There is no list {list_address}; `mailman lists` names them all.")
    begin = _moment(since) if since else 0.0
    chosen = [path for path in files if ignore_mtime or not path.exists() or path.stat().st_mtime >= begin]
    step = mails_step([Mailbox(str(path), path, format_of(path), found.list_id) for path in chosen])
    if since:
        read = step.read
        step = dataclasses.replace(step, read=lambda: _since(begin, read()))
    report = run(source_name(found.list_id, files), [step], progress_for(_say, silent=False), jobs=2, take_away=True)
    click.echo(as_text(report), nl=False)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _moment(text: str) -> float:
    """Seconds since 1970 of a date, in UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"--since takes a date such as 2020-01-31, not {text}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _since(begin: float, items: "Iterable[Item]") -> "Iterator[Item]":
    """The mails that were written at that moment or later; what is no mail is left for the report."""
    return (item for item in items if _written(item.data, begin) >= begin)


def _written(piece: Any, otherwise: float) -> float:
    from postroad.foundation.message.headers import Headers
    from postroad.foundation.message.message_id import date_of
    from postroad.upgrade.mbox.model import Noise

    if isinstance(piece, Noise):
        return otherwise
    date = date_of(Headers.parse(piece.raw))
    arrived: float = piece.received_at
    return arrived if date is None else date.timestamp()
