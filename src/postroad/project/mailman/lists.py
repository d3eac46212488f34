"""create, remove, lists (facts: cli §3)."""

import click

from postroad.project.mailman.cli import fail, site_command


@site_command("create")
@click.option("--language", metavar="CODE", help="The list's language.")
@click.option("-o", "--owner", "owners", multiple=True, metavar="ADDRESS", help="May be given several times.")
@click.option("--style-name", "style", metavar="NAME", help="First values of its settings.")
@click.option("-n/-N", "--notify/--no-notify", "-notify/-no-notify", "notify", default=False, help="Tell the owners.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
@click.option("-d/-D", "--domain/--no-domain", "domain", default=True, help="Make the domain too if it is new.")
@click.argument("listname")
def create(
    language: str | None,
    owners: tuple[str, ...],
    style: str | None,
    notify: bool,
    quiet: bool,
    domain: bool,
    listname: str,
) -> None:
    """Make the list whose posting address is LISTNAME."""
    from postroad.community.lists import actions
    from postroad.community.lists.queries import find_domain
    from postroad.community.people import actions as people
    from postroad.community.subscriptions import actions as subscriptions
    from postroad.foundation.languages import is_language
    from postroad.foundation.message.addresses import is_valid_email
    from postroad.project.mailman.information import in_force

    if language and not is_language(language):
        raise fail(f"unknown language: {language}")
    wrong = [address for address in owners if not is_valid_email(address)]
    if wrong:
        raise fail(f"not an address: {', '.join(wrong)}")
    host = listname.rpartition("@")[2].lower()
    if host and find_domain(host) is None:
        if not domain:
            raise fail(f"unknown domain: {host}")
        actions.create_domain(host)
    made = actions.create_list(listname, style or in_force()["styles"]["default"])
    if language:
        actions.change_settings(made, {"preferred_language": language})
    for address in owners:
        people.ensure_user(address)
        subscriptions.join(made, address, role="owner")
    if notify and owners:
        _tell(made, owners)
    if not quiet:
        click.echo(f"Created mailing list: {made.fqdn_listname}")


def _tell(made: object, owners: tuple[str, ...]) -> None:
    from postroad.community.lists.models import MailingList
    from postroad.community.notices.actions import send_notice
    from postroad.foundation.configuration import current

    assert isinstance(made, MailingList)
    send_notice("domain:admin:notice:new-list", mailing_list=made, to=list(owners), from_=current().site.owner)


@site_command("remove")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
@click.argument("listspec")
def remove(quiet: bool, listspec: str) -> None:
    """Remove the list LISTSPEC; its archive goes with it."""
    from postroad.community.lists.actions import delete_list
    from postroad.community.lists.queries import find_list

    found = find_list(listspec)
    if found is None:
        if not quiet:
            click.echo(f"No such list: {listspec}")
        return
    delete_list(found)
    if not quiet:
        click.echo(f"Removed list: {listspec}")


@site_command("lists")
@click.option("-a", "--advertised", is_flag=True, help="Only those shown in overviews.")
@click.option("-n/-N", "--names/--no-names", "names", default=False, help="With their names.")
@click.option("-d/-D", "--descriptions/--no-descriptions", "descriptions", default=False, help="With descriptions.")
@click.option("-q", "--quiet", is_flag=True, help="Without the line on top.")
@click.option("--domain", "hosts", multiple=True, metavar="HOST", help="May be given several times.")
def lists(advertised: bool, names: bool, descriptions: bool, quiet: bool, hosts: tuple[str, ...]) -> None:
    """Show all mailing lists."""
    from postroad.community.lists.models import MailingList
    from postroad.community.lists.register import all_settings

    rows = MailingList.objects.order_by("list_id")
    if advertised:
        rows = rows.filter(advertised=True)
    if hosts:
        rows = rows.filter(mail_host__in=[host.lower() for host in hosts])
    found = list(rows)
    if not found:
        if not quiet:
            click.echo("No matching mailing lists found")
        return
    if not quiet:
        click.echo(f"{len(found)} matching mailing lists found:")
    name, description = all_settings()["display_name"], all_settings()["description"]
    labels = [f"{row.fqdn_listname} [{name.of(row)}]" if names else row.fqdn_listname for row in found]
    width = max(map(len, labels))
    for row, label in zip(found, labels, strict=True):
        click.echo(f"{label:{width}} - {description.of(row)}".rstrip() if descriptions else label)
