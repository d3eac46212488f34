"""`postroad rollback`: back to the state before the last upgrade."""

import click

from postroad.project.cli import home_option, open_home
from postroad.project.commands.upgrade import show


@click.command("rollback")
@home_option
@click.option("--json", "as_json", is_flag=True, help="The report for programs.")
def command(home: str | None, as_json: bool) -> None:
    """Go back to the snapshot before the last upgrade; mail accepted since is kept.

    Exit code: 0 done, 1 done with findings, 2 not possible and nothing touched, 3 failed and rolled back.
    """
    open_home(home)
    from postroad.upgrade.actions import rollback

    show(rollback((lambda _: None) if as_json else click.echo), as_json)
