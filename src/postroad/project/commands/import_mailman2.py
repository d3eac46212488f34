"""`postroad import mailman2`: a whole Mailman 2.1 site, or some of its lists."""

from pathlib import Path
from typing import Any

import click

from postroad.project.cli import open_home
from postroad.project.commands.imports import import_options, run_import


@click.command("mailman2")
@click.argument("folder", metavar="VAR", type=click.Path(path_type=Path))
@click.argument("lists", nargs=-1, metavar="[LIST]...")
@import_options
@click.option("--host", default="", metavar="HOST", help="Mail host of lists that do not say theirs.")
@click.option("--cut-over", is_flag=True, help="The old system is stopped for good: take its queues and digests too.")
def command(
    folder: Path, lists: tuple[str, ...], home: str | None, host: str, cut_over: bool, **options: Any
) -> None:  # fmt: skip
    """Bring in a Mailman 2.1 site from its folder VAR, such as /var/lib/mailman, as often as you like.

    All lists, or those named and those that came before. Run it beside the living site first; what came since then
    follows with the next run, and with --cut-over the rest.
    """
    open_home(home, create=True)
    from postroad.upgrade.mailman2.site import OldSite
    from postroad.upgrade.mailman2.steps import steps
    from postroad.upgrade.schema import make_or_check

    make_or_check()
    site = OldSite(folder, lists, host, cut_over)
    site.folders()
    run_import(site.name, steps(site), cut_over=cut_over, **options)
