"""`postroad verify`: an old site and this one are recounted, each by itself."""

import dataclasses
import json
import sys

import click

from postroad.project.cli import home_option, open_home
from postroad.project.command_line import LazyGroup
from postroad.project.commands.import_mailman3 import source_options


class Verifiers(LazyGroup):
    """One for each kind of source."""

    program, path = "postroad", "verify"
    subcommands = {"mailman3": ("postroad.project.commands.verifying:mailman3", "A Mailman 3 site, core and web half.")}


@click.group("verify", cls=Verifiers)
def command() -> None:
    """Recount an old site and this one independently of the import, and say on one page what agrees."""


@click.command("mailman3")
@home_option
@source_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def mailman3(
    home: str | None, cfg: str, settings: str, core: str, web: str, attachments: str, mailboxes: tuple[str, ...],
    moved: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Compare a Mailman 3 site with what is here; the same options as `postroad import mailman3`.

    Exit code: 0 everything agrees, 1 something is missing that the import's report does not name.
    """
    open_home(home)
    from postroad.upgrade.mailman3.installation import Named, moved_from, open_installation
    from postroad.upgrade.mailman3.verify import as_page, verify

    named = Named(cfg, settings, core, web, attachments, mailboxes, moved_from(moved))
    findings = verify(open_installation(named))
    if as_json:
        click.echo(json.dumps([{**dataclasses.asdict(f), "agrees": f.agrees} for f in findings], indent=2))
    else:
        click.echo(as_page(findings), nl=False)
    sys.exit(0 if all(f.agrees for f in findings) else 1)
