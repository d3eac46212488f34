"""createsuperuser, changepassword, mmclient."""

import os

import click

from postroad.foundation.errors import BadInput, NotFound
from postroad.project.mailman_web.cli import web_command


@web_command("createsuperuser")
@click.option("--username", help="Accepted; people sign in with their address here.")
@click.option("--email", help="Asked for when not given.")
@click.option(
    "--noinput", "--no-input", is_flag=True, help="Take DJANGO_SUPERUSER_EMAIL and DJANGO_SUPERUSER_PASSWORD."
)
def createsuperuser(username: str | None, email: str | None, noinput: bool) -> None:
    """Make a person who may do everything on the site; the address counts as verified, so sign-in works at once."""
    from postroad.community.people.accounts import open_account

    email = email or os.environ.get("DJANGO_SUPERUSER_EMAIL")
    password = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
    if noinput and not email:
        raise BadInput("--email is needed with --noinput")
    if not noinput:
        email = email or click.prompt("Email address")
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    open_account(email or "", username or "", password, is_server_owner=True)
    click.echo("Superuser created successfully.")


@web_command("changepassword")
@click.argument("email")
def changepassword(email: str) -> None:
    """Set the password of the person with this address."""
    from postroad.community.people import actions, queries

    user = queries.find_user(email)
    if user is None:
        raise NotFound(f"Nobody has the address {email}.")
    actions.change_user(user, cleartext_password=click.prompt("Password", hide_input=True, confirmation_prompt=True))
    click.echo(f"Password changed for {email}")


@web_command("mmclient")
def mmclient() -> None:
    """Open a Python shell with `client`, connected to this site's REST; mailmanclient must be installed."""
    import code

    from postroad.foundation.configuration import current

    try:
        from mailmanclient import Client
    except ImportError:
        raise BadInput("mailmanclient is not installed; `mailman shell` needs nothing else") from None
    rest = current().rest
    client = Client(f"http://{rest.listen}/3.1", rest.user, rest.password)
    code.interact("client is connected to this site", local={"client": client})
