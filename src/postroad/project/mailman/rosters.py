"""Files of addresses, and lists by address or list-id, as several subcommands take them."""

import email.utils
from collections.abc import Iterator

import click

from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import find_list
from postroad.foundation.message.addresses import is_valid_email
from postroad.project.command_line import lines_of
from postroad.project.mailman.cli import fail


def the_list(listspec: str) -> MailingList:
    """The list of this posting address or list-id.

    Raises:
        click.UsageError: there is none.
    """
    found = find_list(listspec)
    if found is None:
        raise fail(f"No such list: {listspec}")
    return found


def people_in(filename: str) -> Iterator[tuple[str, str]]:
    """Name and address of each line of a file, or of standard input for `-`; lines that hold none are told of.

    Raises:
        click.UsageError: the file cannot be read.
    """
    try:
        lines = lines_of(filename)
    except OSError as error:
        raise fail(f"{filename}: {error.strerror}") from None
    for line in lines:
        if not line or line.startswith("#"):
            continue
        name, address = email.utils.parseaddr(line)
        if is_valid_email(address):
            yield name, address
        else:
            click.echo(f"Not an address, left out: {line}", err=True)


def shown(name: str, address: str) -> str:
    """`Name <address>`, or the address alone."""
    return email.utils.formataddr((name, address), "utf-8") if name.isascii() else f"{name} <{address}>"
