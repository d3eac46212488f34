"""delmembers and syncmembers (facts: cli §2)."""

import email.utils
from typing import Any

import click

from postroad.foundation.message.addresses import identity
from postroad.project.mailman.cli import fail, site_command
from postroad.project.mailman.membership import add_member, delivery_option, on_list, welcome_option

goodbye_option = click.option(
    "-g/-G", "--goodbye-msg/--no-goodbye-msg", "goodbye", default=None, help="Else as the list's setting says."
)


@site_command("delmembers")
@click.option("-l", "--list", "listspec", help="The list; needed unless --fromall is given.")
@click.option("-f", "--file", "filename", help="Addresses, one a line; - is standard input.")
@click.option("-m", "--member", "members", multiple=True, help="An address; may be given several times.")
@click.option("-a", "--all", "everybody", is_flag=True, help="Everybody.")
@click.option("--fromall", is_flag=True, help="From all lists.")
@goodbye_option
@click.option("-n/-N", "--admin-notify/--no-admin-notify", "notify", default=None, help="Tell the owners, or not.")
def delmembers(
    listspec: str | None, filename: str | None, members: tuple[str, ...], everybody: bool, fromall: bool,
    goodbye: bool | None, notify: bool | None,
) -> None:  # fmt: skip
    """Remove members."""
    from postroad.community.lists.models import MailingList
    from postroad.community.subscriptions import actions, queries
    from postroad.community.subscriptions.rosters import roster
    from postroad.project.mailman.rosters import people_in, the_list

    if everybody and (filename or members or fromall):
        raise fail("--all goes with none of --file, --member and --fromall")
    if fromall and listspec:
        raise fail("--fromall goes without --list")
    if not (everybody or filename or members):
        raise fail("one of --all, --file and --member is needed")
    if not (listspec or fromall):
        raise fail("--list is needed, or --fromall")
    lists = list(MailingList.objects.order_by("list_id")) if fromall else [the_list(listspec or "")]
    named = [address for _, address in people_in(filename)] if filename else []
    wanted = [email.utils.parseaddr(text)[1] or text for text in members] + named
    for mailing_list in lists:
        emails = [row.email for row in roster(_members(mailing_list))[0]] if everybody else wanted
        for address in emails:
            member = queries.member_of(mailing_list, address)
            if member is not None:
                actions.remove(member, goodbye=goodbye, notify_owners=notify)
            elif not fromall:
                click.echo(f"Member not subscribed: {address}", err=True)


def _members(mailing_list: Any, *roles: str) -> Any:
    from postroad.community.subscriptions.queries import Selection

    return Selection(mailing_list=mailing_list.pk, roles=roles or ("member",))


@site_command("syncmembers")
@delivery_option
@welcome_option
@goodbye_option
@click.option("-a/-A", "--admin-notify/--no-admin-notify", "notify", default=None, help="Tell the owners, or not.")
@click.option("-n", "--no-change", is_flag=True, help="Only say what would be done.")
@click.argument("filename")
@click.argument("listspec")
def syncmembers(
    delivery: str, welcome: bool | None, goodbye: bool | None, notify: bool | None, no_change: bool, filename: str,
    listspec: str,
) -> None:  # fmt: skip
    """Make the members of LISTSPEC those of FILENAME."""
    from postroad.community.subscriptions import actions, queries
    from postroad.project.mailman.rosters import people_in, shown, the_list

    mailing_list = the_list(listspec)
    wanted = {identity(address): (name, address) for name, address in people_in(filename)}
    present = {identity(address): (name, address) for name, address in on_list(mailing_list, ("member",))}
    changed = False
    for key in sorted(set(wanted) - set(present)):
        name, address = wanted[key]
        if no_change or add_member(mailing_list, name, address, delivery, welcome, invite=False):
            click.echo(f"[ADD] {shown(name, address)}")
            changed = True
    for key in sorted(set(present) - set(wanted)):
        name, address = present[key]
        member = queries.member_of(mailing_list, address)
        if member is not None and not no_change:
            actions.remove(member, goodbye=goodbye, notify_owners=notify)
        click.echo(f"[DEL] {shown(name, address)}")
        changed = True
    if not changed:
        click.echo("Nothing to do")
