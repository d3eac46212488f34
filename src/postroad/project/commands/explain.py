"""`postroad explain`: which rule would decide about a mail, and what would be sent, without doing anything."""

import json
from typing import BinaryIO

import click

from postroad.project.cli import home_option, open_home


@click.command("explain")
@home_option
@click.option("--list", "name", required=True, metavar="LIST", help="List-id or posting address.")
@click.option("--sender", default="", help="Envelope sender, if another than From.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("mail", type=click.File("rb"))
def command(home: str | None, name: str, sender: str, as_json: bool, mail: BinaryIO) -> None:
    """Judge the file MAIL as a post to LIST and show the outcome. Nothing is stored, sent or changed."""
    open_home(home)
    from postroad.community.lists.queries import find_list
    from postroad.foundation.errors import NotFound
    from postroad.project.explaining import explain

    mailing_list = find_list(name)
    if mailing_list is None:
        raise NotFound(f"There is no list {name}; `postroad list show` names them all.")
    found = explain(mailing_list, mail.read(), sender).plain()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    sent = found.pop("sent")
    for key, value in found.items():
        click.echo(f"{key:12}{', '.join(value) if isinstance(value, tuple) else value}")
    if sent:
        click.echo(f"\nA member's copy would begin:\n\n{sent}")
