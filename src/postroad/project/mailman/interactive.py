"""shell and withlist (facts: cli §9)."""

import code
import importlib
import re
from collections.abc import Callable
from typing import Any

import click

from postroad.project.mailman.cli import HELP, fail, open_site


@click.command("shell", context_settings=HELP)
@click.option("-l", "--listspec", help="A list, or ^ and a regular expression over addresses and list-ids with --run.")
@click.option("-r", "--run", "callable_", metavar="MODULE.CALLABLE", help="Call this with the list and ARGS.")
@click.option("-i", "--interactive", is_flag=True, help="A prompt afterwards; that is so anyway without --run.")
@click.option("--details", is_flag=True, help="What stands ready at the prompt.")
@click.argument("args", nargs=-1)
def shell(listspec: str | None, callable_: str | None, interactive: bool, details: bool, args: tuple[str, ...]) -> None:
    """Work on a list in a Python shell, or let a function of yours do it."""
    if details:
        click.echo(DETAILS)
        return
    open_site()
    from django.db import transaction

    from postroad.foundation.configuration import current

    lists = _lists(listspec, many=callable_ is not None)
    local: dict[str, Any] = {"m": lists[0] if lists else None, "r": None, "config": current()}
    with transaction.atomic():
        local["abort"] = lambda: transaction.set_rollback(True)
        local["commit"] = lambda: None
        if callable_:
            function = _callable(callable_)
            results = [function(found, *args) for found in lists] if listspec else [function(*args)]
            local["r"] = results if len(results) > 1 else (results[0] if results else None)
        if interactive or not callable_:
            code.interact("m is the list, r the result; leaving commits, abort() before that does not", local=local)


DETAILS = """\
At the prompt there are: m, the list; r, what --run returned; config, what postroad.toml says; abort(), which undoes
everything when the shell is left. Leaving it commits. Verbs stand in the `actions` modules of postroad."""


def _lists(listspec: str | None, *, many: bool) -> list[Any]:
    from postroad.community.lists.models import MailingList
    from postroad.community.lists.queries import find_list

    if not listspec:
        return []
    if listspec.startswith("^"):
        if not many:
            raise fail("a regular expression needs --run")
        regex = re.compile(listspec)
        rows = MailingList.objects.order_by("list_id")
        return [row for row in rows if regex.search(row.fqdn_listname) or regex.search(row.list_id)]
    found = find_list(listspec)
    if found is None:
        raise fail(f"No such list: {listspec}")
    return [found]


def _callable(name: str) -> Callable[..., Any]:
    """What `module.callable` names; a bare name means `name.name`."""
    module, _, function = name.rpartition(".")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module or name), function)
    except (ImportError, AttributeError) as error:
        raise fail(f"{name}: {error}") from None
    return found
