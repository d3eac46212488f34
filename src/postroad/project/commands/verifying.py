"""`postroad verify`: an old site and this one are recounted, each by itself."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from postroad.project.cli import home_option, open_home
from postroad.project.command_line import LazyGroup
from postroad.project.commands.import_mailman3 import source_options
from postroad.project.commands.import_mbox import mailbox_options, open_mailboxes

if TYPE_CHECKING:
    from postroad.upgrade.verifying import Check


class Verifiers(LazyGroup):
    """One for each kind of source."""

    program, path = "postroad", "verify"
    subcommands = {
        "mailman3": ("postroad.project.commands.verifying:mailman3", "A Mailman 3 site, core and web half."),
        "mailman2": ("postroad.project.commands.verifying:mailman2", "A Mailman 2.1 site, or some of its lists."),
        "mbox": ("postroad.project.commands.verifying:mbox", "Mailboxes that became a list's archive."),
    }


@click.group("verify", cls=Verifiers)
def command() -> None:
    """Recount an old site and this one independently of the import, and say on one page what agrees."""


_json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


def _answer(source: str, checks: "Iterable[Check]", *, as_json: bool) -> None:
    """Recount, show the page and end with its exit code: 0 everything agrees, 1 something does not."""
    from postroad.upgrade import verifying

    findings = verifying.recount(source, checks)
    click.echo(verifying.as_json(findings) if as_json else verifying.as_page(findings), nl=False)
    sys.exit(0 if all(finding.agrees for finding in findings) else 1)


@click.command("mailman3")
@home_option
@source_options
@_json_option
def mailman3(
    home: str | None, cfg: str, settings: str, core: str, web: str, attachments: str, mailboxes: tuple[str, ...],
    moved: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Compare a Mailman 3 site with what is here; the same options as `postroad import mailman3`.

    Exit code: 0 everything agrees, 1 something is missing that the import's report does not name.
    """
    open_home(home)
    from postroad.upgrade.mailman3.installation import Named, moved_from, open_installation
    from postroad.upgrade.mailman3.verify import checks

    named = Named(cfg, settings, core, web, attachments, mailboxes, moved_from(moved))
    installation = open_installation(named)
    _answer(installation.name, checks(installation), as_json=as_json)


@click.command("mailman2")
@click.argument("folder", metavar="VAR", type=click.Path(path_type=Path))
@click.argument("lists", nargs=-1, metavar="[LIST]...")
@home_option
@click.option("--host", default="", metavar="HOST", help="Mail host of lists that do not say theirs.")
@_json_option
def mailman2(folder: Path, lists: tuple[str, ...], home: str | None, host: str, as_json: bool) -> None:
    """Compare a Mailman 2.1 site with what is here, all lists or those named: settings, members, mails, what waits.

    Exit code: 0 everything agrees, 1 something differs that the import's report does not name.
    """
    open_home(home)
    from postroad.upgrade.mailman2.site import OldSite
    from postroad.upgrade.mailman2.verify import checks

    site = OldSite(folder, lists, host)
    site.folders()  # A folder or a list that is not there is told before anything is counted.
    _answer(site.name, checks(site), as_json=as_json)


@click.command("mbox")
@mailbox_options
@home_option
@_json_option
def mbox(
    list_name: str, files: tuple[Path, ...], form: str | None, pipermail: bool, home: str | None, as_json: bool
) -> None:  # fmt: skip
    """Compare mailboxes with the archive of LIST, mail for mail; the same words as `postroad import mbox`.

    Exit code: 0 everything agrees, 1 a mail is missing that the import's report does not name.
    """
    open_home(home)
    from postroad.upgrade.mbox.verify import checks

    source, boxes = open_mailboxes(list_name, files, form, pipermail=pipermail)
    _answer(source, checks(boxes), as_json=as_json)
