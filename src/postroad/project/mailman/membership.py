"""addmembers, members, admins, findmember, changeaddress (facts: cli §2)."""

import email.utils
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from postroad.foundation.errors import PostroadError
from postroad.foundation.message.addresses import identity
from postroad.project.mailman.cli import fail, site_command

DELIVERY = {
    "regular": ("regular", None),
    "mime": ("mime_digests", None),
    "plain": ("plaintext_digests", None),
    "summary": ("summary_digests", None),
    "html": ("html_digests", None),
    "disabled": ("regular", "by_moderator"),
}
delivery_option = click.option(
    "-d", "--delivery", type=click.Choice(list(DELIVERY)), default="regular", help="Posts, a digest, or nothing."
)
welcome_option = click.option(
    "-w/-W", "--welcome-msg/--no-welcome-msg", "welcome", default=None, help="Else as the list's setting says."
)


def add_member(
    mailing_list: Any, name: str, address: str, delivery: str, welcome: bool | None, *, invite: bool
) -> bool:
    """Subscribe or invite one address; a refusal is told, not raised."""
    from postroad.community.subscriptions import actions

    mode, status = DELIVERY[delivery]
    options: dict[str, Any] = {"delivery_mode": mode, "delivery_status": status, "send_welcome_message": welcome}
    try:
        actions.join(
            mailing_list, address, display_name=name, invitation=invite, pre_verified=not invite, pre_confirmed=True,
            pre_approved=True, **options,
        )  # fmt: skip
    except PostroadError as error:
        click.echo(f"{address}: {error}", err=True)
        return False
    return True


@site_command("addmembers")
@delivery_option
@click.option("-i", "--invite", is_flag=True, help="Ask them instead.")
@welcome_option
@click.argument("filename")
@click.argument("listspec")
def addmembers(delivery: str, invite: bool, welcome: bool | None, filename: str, listspec: str) -> None:
    """Add the addresses of FILENAME (- is standard input) to LISTSPEC."""
    from postroad.project.mailman.rosters import people_in, the_list

    mailing_list = the_list(listspec)
    for name, address in people_in(filename):
        add_member(mailing_list, name, address, delivery, welcome, invite=invite)


ROLES = {
    "owner": ("owner",),
    "moderator": ("moderator",),
    "member": ("member",),
    "nonmember": ("nonmember",),
    "administrator": ("owner", "moderator"),
    "any": ("owner", "moderator", "member", "nonmember"),
}
DIGESTS = {
    "any": {"mime_digests", "plaintext_digests", "summary_digests", "html_digests"},
    "plaintext": {"plaintext_digests"},
    "mime": {"mime_digests", "summary_digests"},
    "html": {"html_digests"},
}
NOMAIL = {
    "enabled": {"enabled"},
    "any": {"by_user", "by_bounces", "by_moderator", "unknown"},
    "unknown": {"unknown"},
    "byadmin": {"by_moderator"},
    "byuser": {"by_user"},
    "bybounces": {"by_bounces"},
}


@site_command("members")
@click.option("-R", "--role", type=click.Choice(list(ROLES)), default="member", help="Whom to show.")
@click.option("-r", "--regular", is_flag=True, help="Only those who get each post.")
@click.option("-d", "--digest", type=click.Choice(list(DIGESTS)), help="Only those who get this digest.")
@click.option("-n", "--nomail", type=click.Choice(list(NOMAIL)), help="Only those of this delivery status.")
@click.option("-e", "--email-only", is_flag=True, help="Addresses without names.")
@click.option("-c", "--count-only", is_flag=True, help="Only how many.")
@click.option("-o", "--output", default="-", help="A file; - is standard output.")
@click.option("-N", "--no-change", is_flag=True, help="Accepted; nothing is changed here anyway.")
@click.option("-a", "--add", "add_file", help="Gone: use addmembers.")
@click.option("-x", "--delete", "delete_file", help="Gone: use delmembers.")
@click.option("-s", "--sync", "sync_file", help="Gone: use syncmembers.")
@click.argument("listspec")
def members(
    role: str, regular: bool, digest: str | None, nomail: str | None, email_only: bool, count_only: bool, output: str,
    no_change: bool, add_file: str | None, delete_file: str | None, sync_file: str | None, listspec: str,
) -> None:  # fmt: skip
    """Show the members of LISTSPEC, or how many there are."""
    from postroad.project.mailman.rosters import shown, the_list

    gone = {"addmembers": add_file, "delmembers": delete_file, "syncmembers": sync_file}
    for command, value in gone.items():
        if value:
            raise fail(f"use `mailman {command}` for that")
    if email_only and count_only:
        raise fail("--email-only and --count-only exclude each other")
    mailing_list = the_list(listspec)
    rows = on_list(mailing_list, ROLES[role], regular, DIGESTS.get(digest or ""), NOMAIL.get(nomail or ""))
    if count_only:
        text = f"{len(rows)}\n"
    elif not rows and not on_list(mailing_list, ROLES[role]):
        text = f"{mailing_list.list_id} has no members\n"
    else:
        text = "".join(f"{address if email_only else shown(name, address)}\n" for name, address in rows)
    _write(output, text)


def on_list(
    mailing_list: Any,
    roles: tuple[str, ...],
    regular: bool = False,
    modes: set[str] | None = None,
    statuses: set[str] | None = None,
) -> list[tuple[str, str]]:
    """Name and address, in their original case, sorted by address; one line for a person in several roles."""
    from postroad.community.subscriptions.queries import Selection, selected

    rows = selected(Selection(mailing_list=mailing_list.pk, roles=roles))
    if regular:
        rows = rows.filter(effective_mode="regular")
    if modes:
        rows = rows.filter(effective_mode__in=modes)
    if statuses:
        rows = rows.filter(effective_status__in=statuses)
    found: dict[str, tuple[str, str]] = {}
    fields = ("address__original_email", "user__preferred_address__original_email", "user__display_name")
    names = ("address__display_name", "user__preferred_address__display_name", "address__user__display_name")
    for own, preferred, *texts in rows.values_list(*fields, *names).iterator():
        address = own or preferred or ""
        found[identity(address)] = (next((text for text in texts if text), ""), address)
    return [found[key] for key in sorted(found) if key]


def _write(output: str, text: str) -> None:
    """To standard output, or to a file that is there whole or not at all."""
    if output == "-":
        click.echo(text, nl=False)
        return
    temporary = Path(f"{output}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(output)


@site_command("admins")
@click.option("-a", "--add", "added", multiple=True, help="`Name <address>`; may be given several times.")
@click.option("-d", "--delete", "deleted", multiple=True, help="An address; may be given several times.")
@click.option("-r", "--role", type=click.Choice(["owner", "moderator"]), default="owner", help="Which role.")
@click.argument("listspec")
def admins(added: tuple[str, ...], deleted: tuple[str, ...], role: str, listspec: str) -> None:
    """Add or remove owners or moderators of LISTSPEC."""
    from postroad.community.subscriptions import actions, queries
    from postroad.foundation.message.addresses import is_valid_email
    from postroad.project.mailman.rosters import the_list

    mailing_list = the_list(listspec)
    if not (added or deleted):
        raise fail("--add or --delete is needed")
    parsed = [email.utils.parseaddr(text) for text in (*added, *deleted)]
    for text, (_, address) in zip((*added, *deleted), parsed, strict=True):
        if not is_valid_email(address):
            raise fail(f"not an address: {text}")
    for name, address in parsed[: len(added)]:
        if queries.member_of(mailing_list, address, role) is not None:
            click.echo(f"{address} is already a {role} of {mailing_list.fqdn_listname}", err=True)
        else:
            actions.join(mailing_list, address, role=role, display_name=name)
    for _, address in parsed[len(added) :]:
        member = queries.member_of(mailing_list, address, role)
        if member is None:
            click.echo(f"{address} is not a {role} of {mailing_list.fqdn_listname}", err=True)
        else:
            actions.leave(member)


@site_command("findmember")
@click.option("-r", "--role", type=click.Choice(["all", *[r for r in ROLES if r != "any"]]), default="all")
@click.argument("pattern")
def findmember(role: str, pattern: str) -> None:
    """Show the lists of every address that the regular expression PATTERN fits."""
    from postroad.community.people.models import Address
    from postroad.community.subscriptions.models import Member

    try:
        regex = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise fail(f"not a regular expression: {pattern}: {error}") from None
    fitting = {pk: email for pk, email in _addresses(Address) if regex.search(email)}
    roles = ROLES["any"] if role == "all" else ROLES[role]
    found: dict[str, dict[str, list[str]]] = {}
    keys = list(fitting)
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        rows = Member.objects.filter(role__in=roles).select_related("mailing_list")
        for member in rows.filter(address__in=part) | rows.filter(user__preferred_address__in=part):
            pk = member.address_id or (member.user.preferred_address_id if member.user else None)
            lists = found.setdefault(fitting[pk or part[0]], {})
            lists.setdefault(member.mailing_list.list_id, []).append(member.role)
    for address, lists in sorted(found.items()):
        click.echo(f"Email: {address}")
        for list_id, names in sorted(lists.items()):
            click.echo(f"    List: {list_id}")
            for name in sorted(names):
                click.echo(f"        MemberRole.{name}")


def _addresses(model: Any) -> Iterable[tuple[int, str]]:
    rows: Iterable[tuple[int, str]] = model.objects.values_list("pk", "original_email").iterator()
    return rows


@site_command("changeaddress")
@click.argument("old")
@click.argument("new")
def changeaddress(old: str, new: str) -> None:
    """Change the address OLD to NEW; memberships and settings stay."""
    from postroad.community.people import actions, queries

    address = queries.find_address(old)
    if address is None:
        raise fail(f"no such address: {old}")
    actions.rename_address(address, new)
    click.echo(f"Address changed from {old} to {new}.")
