"""The `postroad` command. Each subcommand is a module of `commands/`, imported only when it is asked for."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

import click

from postroad.project.command_line import LazyGroup, run

GROUPS = {
    "The site": {
        "serve": "Run the site: mail, delivery, web and REST.",
        "config": "Show, change, keep and apply what the site and its lists are set to.",
        "doctor": "Look at the whole site and say what to mend, and how.",
        "upgrade": "Bring the site to this release: snapshot, migrate, self-test, roll back on failure.",
        "rollback": "Go back to the snapshot before the last upgrade.",
        "backup": "Write everything of the site into one file, while it serves.",
        "restore": "Make an empty home the site of a backup, on either database.",
        "version": "Tell the versions of Postroad and what it runs on.",
    },
    "Lists and people": {
        "list": "Make, show, change and remove mailing lists.",
        "member": "Add, show, change and remove members.",
        "user": "Make, show, change and remove users.",
        "token": "Make, show and revoke people's tokens for REST.",
    },
    "Mail": {
        "queue": "See what waits and why; try again, or drop.",
        "trace": "Tell a mail's journey, down to each recipient's SMTP reply.",
        "explain": "Say which rule would decide about a mail, and what would be sent, without doing it.",
        "dkim": "Keys that mail is signed with, their DNS records, their rotation.",
    },
    "Coming and going": {
        "import": "Bring in a Mailman site or an old archive, as often as you like.",
        "verify": "Recount an old site and this one, and say what agrees.",
        "export": "Write lists, members and archives as files that any program reads.",
        "demo": "Fill a home with sample lists, people and an archive, or post to one.",
        "completion": "Print what a shell needs to complete commands and options.",
    },
}
COMMANDS = {name: summary for group in GROUPS.values() for name, summary in group.items()}

MODULES = {"import": "imports", "verify": "verifying"}
"""Commands whose module cannot have their name."""


class PostroadCommands(LazyGroup):
    """In the order people need them."""

    program = "postroad"
    sections = GROUPS
    subcommands = {
        name: (f"postroad.project.commands.{MODULES.get(name, name)}:command", summary)
        for name, summary in COMMANDS.items()
    }


@click.group(cls=PostroadCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", metavar="DIR", help="The site's home; POSTROAD_HOME, else /var/lib/postroad.")
@click.pass_context
def cli(ctx: click.Context, home: str | None) -> None:
    """Mailing lists in one package."""
    ctx.obj = home


def home_option(function: Any) -> Any:
    """`--home` behind the subcommand too, where people write it."""
    return click.option("--home", "home", metavar="DIR", help="The site's home.")(function)


_HOME = "postroad.home"


def _remember_home(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        ctx.meta[_HOME] = value


def _home_wherever() -> click.Option:
    return click.Option(["--home"], metavar="DIR", help="The site's home.", expose_value=False, callback=_remember_home)


class SiteCommand(click.Command):
    """A command below a `SiteGroup`: the site is opened when all that was written is understood."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params.append(_home_wherever())

    def invoke(self, ctx: click.Context) -> Any:
        """Open the site, then do it."""
        open_home(None)
        return super().invoke(ctx)


class SiteGroup(click.Group):
    """Commands on a site, with `--home` before or behind their names; their help needs no site."""

    command_class = SiteCommand

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params.append(_home_wherever())


def open_home(home: str | None, *, create: bool = False) -> Path:
    """Set Django up for a home; without one told here, for the one in the words of the call or in the environment.

    Raises:
        ConfigurationError: postroad.toml is wrong.
        click.UsageError: there is no such home.
    """
    ctx = click.get_current_context()
    path = Path(
        home or ctx.meta.get(_HOME) or ctx.find_root().obj or os.environ.get("POSTROAD_HOME") or "/var/lib/postroad"
    ).resolve()
    from postroad.foundation import configuration, ownership

    if create:
        configuration.load(path)  # What is wrong is told before anything is made.
        configuration.create(path)
    elif not (path / "postroad.toml").exists():
        raise click.UsageError(f"{path} is no Postroad home; name it with --home, or make it with `postroad serve`.")
    if ownership.is_another_s(path):
        # Who calls as root, as people do to upgrade, must leave nothing that the service's user cannot read or replace.
        # Once, at the end: that finds too what a command left that was killed, and a home may have a million files.
        ctx.call_on_close(lambda: _leave(path))
    os.environ["POSTROAD_HOME"] = str(path)
    os.environ["DJANGO_SETTINGS_MODULE"] = "postroad.project.settings"
    loaded = configuration.load(path)
    _log_to_standard_error(loaded.log.level)
    import django

    # What is loaded now stays: to look through it for garbage, and again at the end, takes a third of a short command.
    gc.disable()
    django.setup()
    gc.freeze()
    gc.enable()
    return path


def _leave(home: Path) -> None:
    from django.db import connections

    from postroad.foundation import ownership

    connections.close_all()
    ownership.hand_over(home)


def _log_to_standard_error(level: str) -> None:
    import logging

    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def main() -> None:
    """The `postroad` program."""
    run(cli, "postroad")
