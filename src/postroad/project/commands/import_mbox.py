"""`postroad import mbox`: old mailboxes become a list's archive."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postroad.project.cli import open_home
from postroad.project.commands.imports import import_options, run_import

if TYPE_CHECKING:
    from postroad.upgrade.mbox.steps import Mailbox

_FORMATS = ("mbox", "mboxrd", "mboxcl", "mboxcl2", "mmdf", "maildir")


def mailbox_options(function: Any) -> Any:
    """Which mailboxes, and whose archive they are."""
    for option in (
        click.option(
            "--pipermail", is_flag=True,
            help="Mailman 2.1's own mailboxes: addresses of its pages go on leading to the mails.",
        ),
        click.option(
            "--format", "form", type=click.Choice(_FORMATS), help="Else it is found out: Maildir, MMDF or mbox."
        ),
        click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)),
        click.argument("list_name", metavar="LIST"),
    ):  # fmt: skip
        function = option(function)
    return function


def open_mailboxes(
    list_name: str, files: tuple[Path, ...], form: str | None, *, pipermail: bool
) -> "tuple[str, list[Mailbox]]":
    """What the mailboxes are known as in every run, and each with its format.

    Raises:
        NotFound: there is no such list or mailbox.
    """
    from postroad.community.lists.queries import find_list
    from postroad.foundation.errors import NotFound
    from postroad.upgrade.mbox.mailboxes import format_of
    from postroad.upgrade.mbox.steps import Mailbox, source_name

    found = find_list(list_name)
    if found is None:
        raise NotFound(f"There is no list {list_name}; `postroad list show` names them all.")
    boxes = [
        Mailbox(str(path), path, form or format_of(path), found.list_id, is_pipermail=pipermail)  # type: ignore[arg-type]
        for path in files
    ]
    return source_name(found.list_id, files), boxes


@click.command("mbox")
@mailbox_options
@import_options
def command(
    list_name: str, files: tuple[Path, ...], form: str | None, pipermail: bool, home: str | None, **options: Any
) -> None:
    """Archive the mails of mailboxes (mbox, MMDF, Maildir) in LIST, with threads and search.

    What is archived already is passed over; what is no mail is told and passed over.
    """
    open_home(home)
    from postroad.upgrade.mbox.steps import mails_step

    source, boxes = open_mailboxes(list_name, files, form, pipermail=pipermail)
    run_import(source, [mails_step(boxes)], **options)
