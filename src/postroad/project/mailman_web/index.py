"""rebuild_index, update_index, update_index_one_list, clear_index, haystack_info.

A post is in the index when it is in the archive, in the same transaction; these are for what went wrong.
"""

from collections.abc import Callable
from typing import Any

import click

from postroad.foundation.errors import NotFound
from postroad.project.mailman_web.cli import web_command


def _accepted(*names: str, takes_value: bool = True) -> Callable[[Any], Any]:
    """An option of Haystack's that changes nothing here."""
    return click.option(*names, is_flag=not takes_value, hidden=True, expose_value=False, default=None)


def _haystack_options(function: Any) -> Any:
    for option in (
        _accepted("-u", "--using"), _accepted("-k", "--workers"), _accepted("-b", "--batch-size"),
        _accepted("-t", "--max-retries"), _accepted("--nocommit", takes_value=False),
    ):  # fmt: skip
        function = option(function)
    return function


no_input = click.option("--noinput", "--no-input", is_flag=True, help="Do not ask.")


@web_command("rebuild_index")
@no_input
@_haystack_options
def rebuild_index(noinput: bool) -> None:
    """Make the index of words anew from the archived mails, beside the old one, which is searched meanwhile."""
    from postroad.mailflow.archive.rebuilding import rebuild, to_do

    done = 0
    with click.progressbar(length=to_do(), label="Indexing") as bar:
        for count in rebuild():
            bar.update(count)
            done += count
    click.echo(f"{done} mails were added to the index")


@web_command("update_index")
@_accepted("-a", "--age")
@_accepted("-m", "--minutes")
@_accepted("-s", "--start")
@_accepted("-e", "--end")
@_accepted("-r", "--remove", takes_value=False)
@_haystack_options
def update_index() -> None:
    """Add to the index whatever archived mail it lacks."""
    _add()


@web_command("update_index_one_list")
@click.argument("listname")
def update_index_one_list(listname: str) -> None:
    """Add to the index whatever it lacks of the list with this address or list-id."""
    from postroad.community.lists.queries import find_list

    mailing_list = find_list(listname)
    if mailing_list is None:
        raise NotFound(f"There is no list {listname}; `mailman lists` names them all.")
    _add(mailing_list.pk)


@web_command("clear_index")
@no_input
@_haystack_options
def clear_index(noinput: bool) -> None:
    """Empty the index of words; rebuild_index fills it again."""
    from postroad.mailflow.archive.indexing import clear

    if not noinput:
        click.confirm("Searching finds nothing then. Go on?", abort=True)
    clear()
    click.echo("The index is empty")


@web_command("haystack_info")
def haystack_info() -> None:
    """Tell how many mails are archived, and how many of them the index lacks."""
    from postroad.mailflow.archive.indexing import lacking
    from postroad.mailflow.archive.models import Mail

    click.echo(f"{Mail.objects.count()} mails, {lacking()} of them not in the index")


def _add(mailing_list: int | None = None) -> None:
    from postroad.mailflow.archive.indexing import index_lacking, lacking

    count = lacking(mailing_list)
    with click.progressbar(length=count, label="Indexing") as bar:
        for done in index_lacking(mailing_list):
            bar.update(done)
    click.echo(f"{count} mails were added to the index")
