"""`postroad import mbox`: old mailboxes become a list's archive."""

from pathlib import Path

import click

from postroad.project.cli import open_home
from postroad.project.commands.imports import import_options, run_import

_FORMATS = ("mbox", "mboxrd", "mboxcl", "mboxcl2", "mmdf", "maildir")


@click.command("mbox")
@click.argument("list_name", metavar="LIST")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Else it is found out: Maildir, MMDF or mbox.")
@click.option(
    "--pipermail", is_flag=True, help="Mailman 2.1's own mailboxes: addresses of its pages go on leading to the mails."
)
@import_options
def command(
    list_name: str, files: tuple[Path, ...], form: str | None, pipermail: bool, home: str | None, **options: object
) -> None:
    """Archive the mails of mailboxes (mbox, MMDF, Maildir) in LIST, with threads and search.

    What is archived already is passed over; what is no mail is told and passed over.
    """
    open_home(home)
    from postroad.community.lists.queries import find_list
    from postroad.foundation.errors import NotFound
    from postroad.upgrade.mbox.mailboxes import format_of
    from postroad.upgrade.mbox.steps import Mailbox, mails_step, source_name

    found = find_list(list_name)
    if found is None:
        raise NotFound(f"There is no list {list_name}; `postroad list show` names them all.")
    boxes = [
        Mailbox(str(path), path, form or format_of(path), found.list_id, is_pipermail=pipermail)  # type: ignore[arg-type]
        for path in files
    ]
    run_import(source_name(found.list_id, files), [mails_step(boxes)], **options)  # type: ignore[arg-type]
