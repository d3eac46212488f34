"""migrate: a new database gets its tables, an older one moves to this release."""

import click

from postroad.foundation.errors import BadInput
from postroad.project.mailman_web.cli import web_command


@web_command("migrate")
@click.argument("app", required=False)
@click.argument("migration", required=False)
@click.option("--plan", is_flag=True, help="Only show the steps.")
@click.option("--check", "check_only", is_flag=True, help="Only tell by the exit code whether there are steps to take.")
@click.option("--fake", is_flag=True, help="Not possible here.")
@click.option("--noinput", "--no-input", is_flag=True, help="Accepted; nothing is asked.")
@click.option("--run-syncdb", is_flag=True, help="Accepted; every table has its steps.")
def migrate(
    app: str | None, migration: str | None, plan: bool, check_only: bool, fake: bool, noinput: bool, run_syncdb: bool
) -> int:
    """Bring the database to this release, as `postroad upgrade` does: with a snapshot and a way back."""
    from django.core.management import call_command

    from postroad.upgrade import schema
    from postroad.upgrade.actions import upgrade

    if app or migration or fake:
        raise BadInput("all steps are taken together here, or none; `postroad rollback` goes back")
    schema.refuse_newer()
    steps = schema.lacking()
    if plan:
        call_command("migrate", plan=True)
        return 0
    if check_only:
        return 1 if steps else 0
    if schema.is_new():
        schema.make_or_check()
        click.echo(f"made the database, {len(steps)} steps")
        return 0
    report = upgrade(click.echo)
    for finding in report.findings:
        click.echo(f"note: {finding}")
    click.echo(f"{report.outcome}{': ' + report.error if report.error else ''}", err=bool(report.error))
    return report.exit_code
