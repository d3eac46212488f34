"""`postroad user`: make, show, change and remove users."""

import json
from typing import TYPE_CHECKING, Any

import click

from postroad.project.cli import SiteGroup

if TYPE_CHECKING:
    from postroad.community.people.models import User


@click.group("user", cls=SiteGroup)
def command() -> None:
    """Make, show, change and remove users."""


@command.command("add")
@click.argument("email")
@click.option("--name", default="", help="What people call the user.")
@click.option("--server-owner", is_flag=True, help="May do everything on this site.")
@click.password_option("--password", help="Asked for when not given.")
def add(email: str, name: str, server_owner: bool, password: str) -> None:
    """Make the user EMAIL, with the address verified; who is on a list already becomes one who can sign in."""
    from postroad.community.people.accounts import open_account

    open_account(email, name, password, is_server_owner=server_owner)
    click.echo(f"made {email}")


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(as_json: bool) -> None:
    """All users with their addresses."""
    from postroad.community.people.models import User

    rows = User.objects.prefetch_related("addresses").order_by("pk")
    found: list[dict[str, Any]] = [
        {"name": u.display_name, "server_owner": u.is_superuser, "addresses": [a.shown for a in u.addresses.all()]}
        for u in rows
    ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for user in found:
        owner = "server owner" if user["server_owner"] else ""
        click.echo(f"{', '.join(user['addresses']):50} {user['name']:30} {owner}".rstrip())


@command.command("set")
@click.argument("email")
@click.option("--name", help="What people call the user.")
@click.option("--server-owner/--no-server-owner", default=None, help="May do everything on this site, or not.")
@click.option("--password", is_flag=True, help="Ask for a new password.")
def set_(email: str, name: str | None, server_owner: bool | None, password: bool) -> None:
    """Change the user with the address EMAIL."""
    from postroad.community.people import actions

    secret = click.prompt("Password", hide_input=True, confirmation_prompt=True) if password else None
    actions.change_user(_user(email), display_name=name, cleartext_password=secret, is_server_owner=server_owner)
    click.echo(f"changed {email}")


@command.command("remove")
@click.argument("email")
@click.confirmation_option(prompt="The user goes with all addresses and memberships. Remove it?")
def remove(email: str) -> None:
    """Remove the user with the address EMAIL; posts stay in the archives."""
    from postroad.community.people import actions

    actions.delete_user(_user(email))
    click.echo(f"removed {email}")


@command.command("unite")
@click.argument("email")
def unite(email: str) -> None:
    """Make one of two users whose addresses are both forms of EMAIL; `postroad doctor` names them."""
    from postroad.community.people import twins
    from postroad.foundation.errors import NotFound

    if not twins.unite(email):
        raise NotFound(f"{email} has no twin; `postroad doctor people` names all that have.")
    click.echo(f"united {email}")


def _user(email: str) -> "User":
    from postroad.community.people.queries import find_user
    from postroad.foundation.errors import NotFound

    found = find_user(email)
    if found is None:
        raise NotFound(f"There is no user {email}; `postroad user show` names them all.")
    return found
