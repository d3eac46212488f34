"""`postroad config`: what the site and its lists are set to, and how to change, keep and apply it."""

import dataclasses
import inspect
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

import click

from postroad.project.cli import SiteGroup, open_home

if TYPE_CHECKING:
    from postroad.community.lists.models import MailingList

of_list = click.option("--list", "list_name", metavar="LIST", help="A list's settings and not the site's keys.")


@click.group("config", cls=SiteGroup, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show, change, keep and apply what the site and its lists are set to; alone, all keys of postroad.toml."""
    if ctx.invoked_subcommand is None:
        open_home(None)
        ctx.invoke(show, list_name=None, as_json=as_json)


@command.command("show")
@of_list
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(list_name: str | None, as_json: bool) -> None:
    """Every key with its value and meaning; passwords are not shown."""
    if list_name:
        _show_list(list_name, as_json)
        return
    found = {section: dict(keys) for section, _, keys in _sections()}
    if as_json:
        click.echo(json.dumps(found, indent=2, default=str))
        return
    for section, meaning, keys in _sections():
        click.echo(f"\n[{section}]  # {meaning}")
        for key, value in keys:
            origin = " (environment)" if f"POSTROAD_{section}_{key}".upper() in os.environ else ""
            click.echo(f"{key} = {json.dumps(value, default=str)}{origin}")


def _show_list(name: str, as_json: bool) -> None:
    from postroad.community.lists.register import writable
    from postroad.project.list_documents import document

    (values,) = document([_list(name)]).values()
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for key, value in values.items():
        click.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}  # {writable()[key].label}")


def _sections() -> Iterator[tuple[str, str, list[tuple[str, object]]]]:
    """Each section of postroad.toml: name, meaning, keys with values."""
    from postroad.foundation.configuration import current

    for section in dataclasses.fields(current()):
        if section.name == "home":
            continue
        values = getattr(current(), section.name)
        keys: list[tuple[str, object]] = []
        for field in dataclasses.fields(values):
            value = getattr(values, field.name)
            keys.append((field.name, "(set)" if field.name == "password" and value else value))
        yield section.name, inspect.getdoc(values) or "", keys


@command.command("get")
@of_list
@click.argument("key", metavar="SECTION.KEY|SETTING")
def get(list_name: str | None, key: str) -> None:
    """The bare value of one key of the site, such as smtp.port, or of one setting of a list."""
    from postroad.foundation.errors import NotFound
    from postroad.project.list_documents import document

    if list_name:
        (values,) = document([_list(list_name)]).values()
    else:
        values = {f"{section}.{name}": value for section, _, keys in _sections() for name, value in keys}
    if key not in values:
        raise NotFound(f"There is no {key}; `postroad config show` names them all.")
    value = values[key]
    click.echo(value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False))


@command.command("set")
@of_list
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(list_name: str | None, pairs: tuple[str, ...]) -> None:
    """Change keys of postroad.toml, such as smtp.port=2525, or settings of a list; all of them or none."""
    from postroad.foundation.configuration import current
    from postroad.foundation.errors import BadInput
    from postroad.project import list_documents, site_file

    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise BadInput(f"{pair}: KEY=VALUE is needed")
        given[key] = value
    if list_name:
        planned = list(list_documents.changes({_list(list_name).list_id: given}))
        list_documents.apply(planned)
        _tell(planned)
        return
    if wrong := [key for key in given if key.count(".") != 1]:
        raise BadInput(f"{', '.join(wrong)}: a key of the site is SECTION.KEY, such as smtp.port")
    site_file.change(current().file, {tuple(key.split(".")): value for key, value in given.items()})  # type: ignore[misc]
    click.echo(f"changed {', '.join(given)}; it counts after a restart")


@command.command("export")
@click.argument("lists", nargs=-1, metavar="[LIST]...")
def export(lists: tuple[str, ...]) -> None:
    """Print the settings of all lists, or of those named, as JSON that `config apply` takes; without passwords."""
    from postroad.community.lists.models import MailingList
    from postroad.project.list_documents import document

    rows = [_list(name) for name in lists] if lists else list(MailingList.objects.order_by("list_id"))
    click.echo(json.dumps(document(rows), indent=2, ensure_ascii=False))


@command.command("apply")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would change.")
@click.argument("file", type=click.File("r", encoding="utf-8"))
def apply(dry_run: bool, file: TextIO) -> int:
    """Make lists what FILE (- is standard input) says; what it does not name stays. Each change is told.

    Exit code: 0 done, or nothing to do; with --dry-run 1 when there is something to do.
    """
    from postroad.foundation.errors import BadInput
    from postroad.project import list_documents

    try:
        wanted = json.load(file)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file.name}: not valid JSON: {error}") from None
    planned = list(list_documents.changes(wanted))
    if not dry_run:
        list_documents.apply(planned)
    _tell(planned)
    return 1 if dry_run and planned else 0


def _tell(planned: "list[Any]") -> None:
    """Each change in a line."""
    from postroad.community.lists.values import to_wire

    for change in planned:
        before, after = (
            json.dumps(to_wire(change.setting, v), ensure_ascii=False) for v in (change.before, change.after)
        )
        hidden = change.setting.kind == "password"
        told = "changed" if hidden else f"{before} → {after}"
        sys.stdout.write(f"{change.mailing_list.list_id}: {change.setting.name}: {told}\n")
    if not planned:
        click.echo("nothing to change")


def _list(name: str) -> "MailingList":
    from postroad.community.lists.queries import find_list
    from postroad.foundation.errors import NotFound

    found = find_list(name)
    if found is None:
        raise NotFound(f"There is no list {name}; `postroad list show` names them all.")
    return found
