"""`postroad upgrade`: this release takes over, or nothing has happened."""

import sys

import click

from postroad.project.cli import home_option, open_home
from postroad.upgrade.report import Report


@click.command("upgrade")
@home_option
@click.option("--check", is_flag=True, help="Only the preflight: do it all on a copy and tell what came of it.")
@click.option("--json", "as_json", is_flag=True, help="The report for programs.")
def command(home: str | None, check: bool, as_json: bool) -> None:
    """Bring the site to this release while it goes on taking mail.

    Exit code: 0 done, 1 done with findings, 2 not possible and nothing touched, 3 failed and rolled back.
    """
    open_home(home)
    from postroad.upgrade.actions import upgrade

    show(upgrade((lambda _: None) if as_json else click.echo, only_check=check), as_json)


def show(report: Report, as_json: bool) -> None:
    """Print a report and end with its exit code."""
    if as_json:
        click.echo(report.as_json())
    else:
        for finding in report.findings:
            click.echo(f"note: {finding}")
        click.echo(f"{report.outcome}{': ' + report.error if report.error else ''}", err=bool(report.error))
    sys.exit(report.exit_code)
