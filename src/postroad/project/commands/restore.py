"""`postroad restore`: an empty home becomes the site of a backup."""

from pathlib import Path

import click

from postroad.project.cli import home_option, open_home


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@click.option("--without-queue", is_flag=True, help="Leave out mail that waited to be worked on or delivered.")
def command(file: Path, home: str | None, without_queue: bool) -> None:
    """Make an empty home the site of the backup FILE: all of it or nothing.

    The database may be of the other kind: name it under [database] in the new home's postroad.toml first.
    """
    open_home(home, create=True)
    from postroad.upgrade.leaving.restore import restore

    manifest = restore(file, lambda line: click.echo(line, err=True), with_queue=not without_queue)
    click.echo(f"restored: {sum(member.rows for member in manifest.members):,} rows as of {manifest.made_at}")
