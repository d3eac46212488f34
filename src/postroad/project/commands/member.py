"""`postroad member`: add, show, change and remove members, without asking them: the administrator runs this."""

import json
import sys
import time
from typing import TYPE_CHECKING

import click

from postroad.project.cli import SiteGroup
from postroad.project.command_line import lines_of

if TYPE_CHECKING:
    from postroad.community.lists.models import MailingList
    from postroad.project.reach import Reach


@click.group("member", cls=SiteGroup)
def command() -> None:
    """Add, show, change and remove members."""


ROLE = click.option(
    "--role", default="member", show_default=True, type=click.Choice(["member", "owner", "moderator", "nonmember"])
)


@command.command("add")
@click.argument("name")
@click.argument("addresses", nargs=-1)
@ROLE
@click.option(
    "--welcome/--no-welcome", default=None, help="Send the welcome message, or not; the list's setting decides else."
)
def add(name: str, addresses: tuple[str, ...], role: str, welcome: bool | None) -> None:
    """Add ADDRESSES (or one a line from standard input) to the list NAME."""
    from postroad.community.subscriptions import actions
    from postroad.foundation.errors import PostroadError

    found = _list(name)
    made = failed = 0
    for address in addresses or lines_of("-"):
        if not address:
            continue
        try:
            actions.join(
                found, address, role=role, pre_verified=True, pre_confirmed=True, pre_approved=True,
                send_welcome_message=welcome,
            )  # fmt: skip
            made += 1
        except PostroadError as error:
            click.echo(f"{address}: {error}", err=True)
            failed += 1
    click.echo(f"added {made}" + (f", {failed} not" if failed else ""))
    sys.exit(1 if failed else 0)


@command.command("show")
@click.argument("name")
@ROLE
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(name: str, role: str, as_json: bool) -> None:
    """The members of the list NAME."""
    from postroad.community.subscriptions.queries import Selection
    from postroad.community.subscriptions.rosters import roster

    rows, _ = roster(Selection(mailing_list=_list(name).pk, roles=(role,)))
    if as_json:
        people = [{"email": r.email, "name": r.display_name, "mode": r.delivery_mode} for r in rows]
        click.echo(json.dumps(people, indent=2))
        return
    for row in rows:
        click.echo(f"{row.email:45} {row.delivery_mode:20} {row.display_name}".rstrip())


@command.command("delivery")
@click.argument("address")
@click.option("--list", "name", help="Only this list.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def delivery(address: str, name: str | None, as_json: bool) -> None:
    """Why ADDRESS gets mail of its lists, or none: its choices, its bounces, what waits, what the relay said last."""
    from postroad.foundation.errors import NotFound
    from postroad.project.reach import reach

    found = list(reach(address, _list(name).list_id if name else None))
    if as_json:
        click.echo(json.dumps([row.plain() for row in found], indent=2))
    if not found:
        raise NotFound(f"{address} is no member of {name or 'any list'}.")
    for row in [] if as_json else found:
        _tell(row)


def _tell(row: "Reach") -> None:
    lines = [("gets", f"{row.gets}: {row.why}")]
    if row.changed_at:
        lines.append(("changed", _when(row.changed_at)))
    if row.vacation_until:
        lines.append(("away until", row.vacation_until))
    if row.receiver:
        lines.append(("receiver", row.receiver))
    if row.last_bounce_at:
        lines.append(("last bounce", f"{_when(row.last_bounce_at)}  {row.last_bounce}".rstrip()))
        lines.append(("score", f"{row.bounce_score} of {row.bounce_threshold}; {row.warnings} reminders sent"))
    if row.probe_sent_at:
        lines.append(("probe", f"{_when(row.probe_sent_at)}  has not come back"))
    lines += [("waits", f"{_when(one.at)}  <{one.message_id}>  {one.reply}") for one in row.waiting]
    lines += [("sent", f"{_when(one.at)}  <{one.message_id}>  {one.reply}") for one in row.latest]
    click.echo(row.list_id)
    for title, text in lines:
        click.echo(f"    {title:12} {text}")


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))


@command.command("set")
@click.argument("name")
@click.argument("address")
@click.argument("pairs", nargs=-1, required=True, metavar="PREFERENCE=VALUE...")
def set_(name: str, address: str, pairs: tuple[str, ...]) -> None:
    """Change preferences of the member ADDRESS of the list NAME; an empty value asks the person's own again."""
    from postroad.community.subscriptions import actions, queries
    from postroad.foundation.errors import BadInput, NotFound

    member = queries.member_of(_list(name), address)
    if member is None:
        raise NotFound(f"{address} is no member of {name}.")
    values: dict[str, object] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise BadInput(f"{pair}: PREFERENCE=VALUE is needed, such as delivery_status=by_user")
        values[key] = {"": None, "true": True, "false": False}.get(text, text)
    actions.set_preferences(member, values)
    click.echo(f"changed {', '.join(values)} of {address}")


@command.command("remove")
@click.argument("name")
@click.argument("addresses", nargs=-1, required=True)
def remove(name: str, addresses: tuple[str, ...]) -> None:
    """Remove ADDRESSES from the list NAME, without a goodbye."""
    from postroad.community.subscriptions import actions

    results = actions.remove_members(_list(name), list(addresses))
    for address, done in results.items():
        click.echo(f"{address}: {'removed' if done else 'is no member'}")
    sys.exit(0 if all(results.values()) else 1)


def _list(name: str) -> "MailingList":
    from postroad.community.lists import queries
    from postroad.foundation.errors import NotFound

    found = queries.find_list(name)
    if found is None:
        raise NotFound(f"There is no list {name}; `postroad list show` names them all.")
    return found
