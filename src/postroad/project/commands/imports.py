"""`postroad import`: what its subcommands have in common. Each importer is a module of its own, named here."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postroad.project.cli import home_option
from postroad.project.command_line import LazyGroup

if TYPE_CHECKING:
    from postroad.upgrade.importing.plan import Step
    from postroad.upgrade.importing.report import Report


class Importers(LazyGroup):
    """One for each kind of source."""

    program, path = "postroad", "import"
    subcommands = {
        "mailman3": ("postroad.project.commands.import_mailman3:command", "A Mailman 3 site, core and web half."),
        "mailman2": ("postroad.project.commands.import_mailman2:command", "A Mailman 2.1 site, or some of its lists."),
        "mbox": ("postroad.project.commands.import_mbox:command", "Mailboxes: mbox in all dialects, MMDF, Maildir."),
    }


@click.group("import", cls=Importers)
def command() -> None:
    """Bring in a Mailman site or an old archive.

    Each may be called again: what is here is passed over, what changed is written again. So it can run beside the
    living old system first, and once more for the last minute.
    """


def import_options(function: Any) -> Any:
    """The options of every importer."""
    for option in (
        home_option,
        click.option("--dry-run", is_flag=True, help="Plan: do it all and take it back, then show the report."),
        click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes at work."),
        click.option(
            "--take-away", is_flag=True, help="Go on although most is gone there: it is on purpose, and goes here too."
        ),
        click.option("--json", "as_json", is_flag=True, help="The report for programs."),
        click.option("--report", "file", metavar="FILE", help="Write the report there: .txt, .html or .json."),
    ):
        function = option(function)
    return function


def run_import(
    name: str, steps: Sequence["Step"], *, dry_run: bool, jobs: int, take_away: bool, as_json: bool, file: str | None,
    cut_over: bool | None = None,
) -> None:  # fmt: skip
    """Run an importer's steps, show the report and end with its exit code: 0 all is here, 1 done with findings.

    With `cut_over` it is a whole site that moves, which lives on (False) or is stopped for good (True).
    """
    from postroad.foundation.configuration import current, load
    from postroad.upgrade.importing.engine import run
    from postroad.upgrade.importing.progress import progress_for
    from postroad.upgrade.importing.report import as_json as for_programs
    from postroad.upgrade.importing.report import as_text
    from postroad.upgrade.kept_configuration import begin_shadow, end_shadow

    write = _writer(file)
    progress = progress_for(lambda line: click.echo(line, err=True), silent=as_json)
    if cut_over is False and not dry_run:
        _say(begin_shadow(load(current().home)))
    report = run(name, steps, progress, dry_run=dry_run, jobs=jobs, take_away=take_away)
    for piece in (for_programs if as_json else as_text)(report):
        click.echo(piece, nl=False)
    write(report)
    if cut_over and not dry_run:
        _say(end_shadow(current()))
    sys.exit(report.exit_code)


def _say(what: str) -> None:
    if what:
        click.echo(what, err=True)


def _writer(file: str | None) -> "Callable[[Report], None]":
    """What writes the report to a file; a wrong name is told before the work is done."""
    from postroad.upgrade.importing.report import FORMATS

    if file is None:
        return lambda _: None
    form = FORMATS.get(Path(file).suffix.removeprefix("."))
    if form is None:
        raise click.UsageError(f"{file}: a report's name ends in .txt, .html or .json")

    def write(report: "Report") -> None:
        with Path(file).open("w", encoding="utf-8") as opened:
            opened.writelines(form(report))

    return write
