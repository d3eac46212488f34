"""`postroad list`: make, show, change and remove mailing lists."""

import json

import click

from postroad.project.cli import SiteGroup


@click.group("list", cls=SiteGroup)
def command() -> None:
    """Make, show, change and remove mailing lists."""


@command.command("add")
@click.argument("address")
@click.option(
    "--style", default="legacy-default", show_default=True, help="legacy-default, legacy-announce or private-default."
)
@click.option("--owner", "owners", multiple=True, metavar="ADDRESS", help="An owner; may be given several times.")
def add(address: str, style: str, owners: tuple[str, ...]) -> None:
    """Make the list ADDRESS; its domain is made too when it is new."""
    from django.db import transaction

    from postroad.community.lists import actions
    from postroad.community.lists.models import Domain
    from postroad.community.subscriptions import actions as subscriptions

    with transaction.atomic():
        host = address.rpartition("@")[2].lower()
        if host and not Domain.objects.filter(mail_host=host).exists():
            actions.create_domain(host)
        made = actions.create_list(address, style)
        for owner in owners:
            subscriptions.join(made, owner, role="owner")
    click.echo(f"made {made.fqdn_listname} (list-id {made.list_id})")


@command.command("show")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(name: str | None, as_json: bool) -> None:
    """All lists, or the settings of one."""
    from django.db.models import Count, Q

    from postroad.community.lists import queries
    from postroad.community.lists.models import MailingList
    from postroad.community.lists.register import all_settings
    from postroad.community.lists.values import to_wire
    from postroad.foundation.errors import NotFound

    if name:
        found = queries.find_list(name)
        if found is None:
            raise NotFound(f"There is no list {name}; `postroad list show` names them all.")
        values = {key: to_wire(setting, setting.of(found)) for key, setting in all_settings().items()}
        lines = [f"{key:42}{json.dumps(value)}" for key, value in values.items()]
        click.echo(json.dumps(values, indent=2) if as_json else "\n".join(lines))
        return
    rows = MailingList.objects.annotate(count=Count("members", filter=Q(members__role="member"))).order_by("list_id")
    if as_json:
        click.echo(json.dumps([{"list_id": row.list_id, "members": row.count} for row in rows], indent=2))
        return
    for row in rows:
        click.echo(f"{row.fqdn_listname:50}{row.count:>10} members")


@command.command("set")
@click.argument("name")
@click.argument("settings", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(name: str, settings: tuple[str, ...]) -> None:
    """Change settings of a list."""
    from postroad.community.lists import actions, queries
    from postroad.community.lists.register import writable
    from postroad.community.lists.values import from_wire
    from postroad.foundation.errors import BadInput, NotFound

    found = queries.find_list(name)
    if found is None:
        raise NotFound(f"There is no list {name}; `postroad list show` names them all.")
    values = {}
    for pair in settings:
        key, _, text = pair.partition("=")
        if key not in writable():
            raise BadInput(f"{key} is no setting that can be changed; `postroad list show {name}` names them all.")
        try:
            values[key] = from_wire(writable()[key], text)
        except ValueError as error:
            raise BadInput(f"{key}: {error}") from None
    actions.change_settings(found, values)
    click.echo(f"changed {', '.join(values)} of {found.list_id}")


@command.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="The list, its members and its archive go for good. Remove it?")
def remove(name: str) -> None:
    """Remove a list with everything that belongs to it."""
    from postroad.community.lists import actions, queries
    from postroad.foundation.errors import NotFound

    found = queries.find_list(name)
    if found is None:
        raise NotFound(f"There is no list {name}; `postroad list show` names them all.")
    actions.delete_list(found)
    click.echo(f"removed {name}")
