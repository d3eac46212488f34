"""`postroad token`: tokens of people for REST."""

import json

import click

from postroad.project.cli import SiteGroup

SCOPES = ("read", "moderate", "manage", "site")


@click.group("token", cls=SiteGroup)
def command() -> None:
    """Make, show and revoke people's tokens for REST."""


@command.command("add")
@click.argument("email")
@click.option("--name", required=True, help="What it is for.")
@click.option("--scope", type=click.Choice(SCOPES), default="read", show_default=True)
@click.option("--list", "lists", multiple=True, metavar="LIST", help="Only on this list; may be given again.")
@click.option("--days", default=365, show_default=True, help="How long it holds.")
def add(email: str, name: str, scope: str, lists: tuple[str, ...], days: int) -> None:
    """Make a token in the name of the user EMAIL, and print it; it is never shown again."""
    from postroad.community.access import actions
    from postroad.community.people.queries import find_user
    from postroad.foundation.errors import NotFound

    user = find_user(email)
    if user is None:
        raise NotFound(f"There is no user {email}; `postroad user show` names them all.")
    _, secret = actions.make_token(user, name, scope, lists, days)
    click.echo(secret)


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(as_json: bool) -> None:
    """All tokens, the newest first; the secrets themselves are not kept."""
    from postroad.community.access.queries import tokens_of

    rows = [
        {
            "id": token.pk,
            "user": token.user.email or str(token.user.uuid),
            "name": token.name,
            "scope": token.scope,
            "lists": token.lists,
            "expires_at": token.expires_at.isoformat(timespec="seconds"),
            "last_used_at": token.last_used_at and token.last_used_at.isoformat(timespec="seconds"),
        }
        for token in tokens_of()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        lists = ", ".join(row["lists"]) or "all lists of the user"
        used = f"last used {row['last_used_at'][:16]}" if row["last_used_at"] else "never used"
        until = f"until {row['expires_at'][:10]}"
        click.echo(f"{row['id']:>5}  {row['user']:30} {row['scope']:9} {until}  {used:27} {row['name']}: {lists}")


@command.command("revoke")
@click.argument("number", type=int)
def revoke(number: int) -> None:
    """End the token of this NUMBER at once."""
    from postroad.community.access import actions
    from postroad.community.access.queries import tokens_of
    from postroad.foundation.errors import NotFound

    token = tokens_of().filter(pk=number).first()
    if token is None:
        raise NotFound(f"There is no token {number}; `postroad token show` names them all.")
    actions.revoke(token)
    click.echo(f"revoked {token}")
