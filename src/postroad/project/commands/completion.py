"""`postroad completion`: lets the shell complete our commands."""

import importlib

import click
from click.shell_completion import get_completion_class

PROGRAMS = {
    "postroad": "postroad.project.cli:cli",
    "mailman": "postroad.project.mailman.cli:mailman",
    "mailman-web": "postroad.project.mailman_web.cli:mailman_web",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.option("--program", type=click.Choice(list(PROGRAMS)), default="postroad", show_default=True)
def command(shell: str, program: str) -> None:
    """Print what SHELL needs to complete commands and options; let its start-up file read that."""
    module, _, attribute = PROGRAMS[program].partition(":")
    group: click.Group = getattr(importlib.import_module(module), attribute)
    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(group, {}, program, f"_{program.replace('-', '_').upper()}_COMPLETE").source())
