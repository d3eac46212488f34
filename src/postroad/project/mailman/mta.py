"""aliases (facts: cli §7)."""

import dataclasses
from pathlib import Path

import click

from postroad.project.mailman.cli import fail, site_command


@site_command("aliases")
@click.option("-d", "--directory", metavar="DIR", help="Write them there, and not where the site keeps them.")
def aliases(directory: str | None) -> None:
    """Write the files that tell the MTA the lists' addresses; `[maps]` says which MTA, else it is Postfix."""
    from postroad.foundation.configuration import current
    from postroad.mailflow.intake.map_files import folder_of, write

    maps = current().maps
    if maps.files == "none":
        click.echo('Written once; [maps] files = "postfix" in postroad.toml keeps them current', err=True)
        maps = dataclasses.replace(maps, files="postfix")
    folder = Path(directory) if directory else folder_of(maps)
    try:
        write(folder, maps)
    except OSError as error:
        raise fail(f"{folder}: {error.strerror}") from None
