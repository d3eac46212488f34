"""`postroad import mailman3`: a whole Mailman 3 site, core and web half."""

from typing import Any

import click

from postroad.project.cli import open_home
from postroad.project.commands.imports import import_options, run_import

_SOURCE_OPTIONS = (
    ("--cfg", "FILE", "mailman.cfg; found where Mailman looks for it unless named."),
    ("--settings", "FILE", "The web half's Django settings; read, never run."),
    ("--core", "URL", "The core's database, such as sqlite:////path/mailman.db."),
    ("--web", "URL", "The web half's database; `none` leaves the web half out."),
    ("--attachments", "DIR", "HYPERKITTY_ATTACHMENT_FOLDER."),
    ("--mailboxes", "DIR", "Folder with old mbox files, named for their lists."),
    ("--moved", "OLD=NEW", "Where a path of the old machine lies here."),
)
_SEVERAL = ("--mailboxes", "--moved")


def source_options(function: Any) -> Any:
    """Where the old site lies; whatever is not said is looked for."""
    for name, metavar, told in reversed(_SOURCE_OPTIONS):
        several = name in _SEVERAL
        option = click.option(name, default=None if several else "", multiple=several, metavar=metavar, help=told)
        function = option(function)
    return function


@click.command("mailman3")
@import_options
@source_options
@click.option("--cut-over", is_flag=True, help="The old system is stopped for good: take its queues and digests too.")
def command(
    home: str | None, cfg: str, settings: str, core: str, web: str, attachments: str, mailboxes: tuple[str, ...],
    moved: tuple[str, ...], cut_over: bool, **options: Any,
) -> None:  # fmt: skip
    """Bring in a Mailman 3 site (3.0 to 3.3.10, HyperKitty 1.0 to 1.3.12), as often as you like.

    Run it beside the living site first; what came since then follows with the next run, and with --cut-over the rest.
    """
    open_home(home, create=True)
    from postroad.foundation.configuration import current
    from postroad.upgrade.kept_configuration import keep_configuration
    from postroad.upgrade.mailman3.installation import Named, moved_from, open_installation
    from postroad.upgrade.mailman3.moving import Moving
    from postroad.upgrade.mailman3.steps import steps
    from postroad.upgrade.schema import make_or_check

    named = Named(cfg, settings, core, web, attachments, mailboxes, moved_from(moved))
    installation = open_installation(named)
    make_or_check()
    if not options["dry_run"] and installation.cfg is not None:
        said = keep_configuration(installation.cfg, current(), is_cut_over=cut_over)
        if said:
            click.echo(said, err=True)
    run_import(installation.name, steps(Moving(installation, is_cut_over=cut_over)), cut_over=cut_over, **options)
