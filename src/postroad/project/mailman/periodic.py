"""digests, notify, gatenews: what cron called; the timetable does the same by itself (facts: cli §4)."""

from typing import TYPE_CHECKING

import click

from postroad.project.mailman.cli import HELP, open_site, site_command

if TYPE_CHECKING:
    from postroad.community.lists.models import MailingList

list_option = click.option(
    "-l", "--list", "listspecs", multiple=True, help="Only this list; may be given several times."
)
dry_option = click.option("-n", "--dry-run", is_flag=True, help="Only say what would be done.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Say more.")


def _chosen(listspecs: tuple[str, ...]) -> list["MailingList"]:
    """The named lists, all when none is named; unknown names are told of."""
    from postroad.community.lists.models import MailingList
    from postroad.community.lists.queries import find_list

    if not listspecs:
        return list(MailingList.objects.select_related("domain").order_by("list_id"))
    found = []
    for spec in listspecs:
        mailing_list = find_list(spec)
        if mailing_list is None:
            click.echo(f"No such list: {spec}", err=True)
        else:
            found.append(mailing_list)
    return found


@site_command("digests")
@list_option
@click.option("-s", "--send", is_flag=True, help="Send what was collected.")
@click.option("-b", "--bump", is_flag=True, help="Count on to the next number, or volume if its time has come.")
@click.option("-p", "--periodic", is_flag=True, help="Send what was collected, for lists that send by the clock.")
@dry_option
@verbose_option
def digests(listspecs: tuple[str, ...], send: bool, bump: bool, periodic: bool, dry_run: bool, verbose: bool) -> None:
    """Send or number digests now; the service sends what is due every day at noon (UTC) by itself."""
    from postroad.mailflow.digests import actions
    from postroad.mailflow.digests.queries import waiting

    if send and periodic:
        click.echo("--send and --periodic exclude each other.", err=True)
        click.get_current_context().exit(1)
    for mailing_list in _chosen(listspecs):
        if bump and not dry_run:
            actions.bump(mailing_list)
        state = waiting(mailing_list)
        if verbose:
            click.echo(
                f"{mailing_list.list_id} is at volume {state.volume}, number {state.number}; {state.posts} posts wait"
            )
        if dry_run:
            continue
        if send:
            actions.send(mailing_list)
        elif periodic:
            actions.send_periodic(mailing_list)


@site_command("notify")
@list_option
@dry_option
@verbose_option
def notify(listspecs: tuple[str, ...], dry_run: bool, verbose: bool) -> None:
    """Tell the owners of each list how many requests wait for them."""
    from postroad.mailflow.moderation.queries import held_messages

    for mailing_list in _chosen(listspecs):
        held = list(held_messages(mailing_list))
        asked = _asked(mailing_list)
        count = len(held) + sum(map(len, asked.values()))
        if verbose:
            click.echo(f"The {mailing_list.fqdn_listname} list has {count} moderation requests waiting.")
        if not count or dry_run:
            continue
        lines = [f"{kind}:\n    " + "\n    ".join(emails) for kind, emails in asked.items() if emails]
        lines += [f"{post.sender}\n    {post.subject}\n    {post.reason}" for post in held]
        _tell(mailing_list, count, "\n\n".join(lines))


def _asked(mailing_list: "MailingList") -> dict[str, list[str]]:
    """Who waits for the owners' word, by what for."""
    from django.utils import timezone

    from postroad.community.subscriptions.models import Pending

    rows = Pending.objects.filter(
        list_id=mailing_list.list_id, token_owner="moderator", expires_at__gt=timezone.now()
    ).order_by("pk")
    kinds = {"subscription": "Held Subscriptions", "unsubscription": "Held Unsubscriptions"}
    return {title: [row.email for row in rows if row.kind == kind] for kind, title in kinds.items()}


def _tell(mailing_list: "MailingList", count: int, details: str) -> None:
    from postroad.community.notices.actions import send_to_owners

    send_to_owners(mailing_list, "list:admin:notice:pending", {"count": str(count), "data": details})


@click.command("gatenews", context_settings=HELP)
def gatenews() -> None:
    """Fetch news articles now; the service does it by itself every `[nntp] fetch_every` seconds."""
    open_site()
    from postroad.mailflow.usenet.actions import fetch_news

    fetch_news()
