"""The group of subcommands: finding the site, one transaction for each, errors in one line."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from postroad.project.command_line import LazyGroup, run

F = TypeVar("F", bound=Callable[..., Any])

COMMANDS = {
    "addmembers": ("membership", "Add members, without asking them, or invite them."),
    "admins": ("membership", "Add or remove owners and moderators."),
    "aliases": ("mta", "Write the files that tell the MTA the lists' addresses."),
    "changeaddress": ("membership", "Change an address, keeping its memberships."),
    "conf": ("information", "Show the configuration in force, in Mailman's words."),
    "create": ("lists", "Make a mailing list."),
    "delmembers": ("removal", "Remove members."),
    "digests": ("periodic", "Send what was collected for digests, or count on."),
    "findmember": ("membership", "Find what lists an address is on."),
    "gatenews": ("periodic", "Fetch news articles for the lists that are joined to a group."),
    "help": ("information", "Show this overview."),
    "import21": ("import21", "Bring in the settings, texts and people of a Mailman 2.1 list."),
    "info": ("information", "Tell version, configuration and REST address."),
    "inject": ("queues", "Put a mail into a queue."),
    "lists": ("lists", "Show all mailing lists."),
    "members": ("membership", "Show the members of a list."),
    "notify": ("periodic", "Remind owners of requests that wait."),
    "qfile": ("queues", "Show what waits in a queue entry."),
    "remove": ("lists", "Remove a mailing list."),
    "reopen": ("daemon", "Nothing to do here: logs go to standard error."),
    "restart": ("daemon", "Restart the service, reading the configuration anew."),
    "shell": ("interactive", "Work on a list in a Python shell."),
    "start": ("daemon", "Start the service in the background."),
    "status": ("daemon", "Tell whether the service runs."),
    "stop": ("daemon", "Stop the service."),
    "syncmembers": ("removal", "Make the members of a list those of a file."),
    "unshunt": ("queues", "Try everything again that is quarantined."),
    "version": ("information", "Tell the version."),
    "withlist": ("interactive", "Work on a list in a Python shell."),
}


class MailmanCommands(LazyGroup):
    """In alphabetical order."""

    program = "mailman"
    subcommands = {
        name: (f"postroad.project.mailman.{module}:{'shell' if name == 'withlist' else name}", summary)
        for name, (module, summary) in sorted(COMMANDS.items())
    }


HELP = {"help_option_names": ["-h", "--help"]}


@click.group(cls=MailmanCommands, invoke_without_command=True, context_settings=HELP)
@click.option("-C", "--config", metavar="FILE", help="A mailman.cfg whose values count where postroad.toml is silent.")
@click.option("--run-as-root", is_flag=True, help="Accepted and not needed: Postroad's files belong to their home.")
@click.option("--version", "only_version", is_flag=True, help="Tell the version.")
@click.pass_context
def mailman(ctx: click.Context, config: str | None, run_as_root: bool, only_version: bool) -> None:
    """Mailman's command line on a Postroad site."""
    ctx.obj = config
    if only_version:
        click.echo(version_line())
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def version_line() -> str:
    """What runs here, in one line."""
    from importlib.metadata import version

    return f"Postroad {version('postroad')}, in place of GNU Mailman 3.3.10"


def open_site() -> Path:
    """Find the site's home and set Django up for it.

    The home is POSTROAD_HOME; else what `[postroad] home` of the mailman.cfg says; else its var_dir when that is a
    home; else /var/lib/postroad.

    Raises:
        ConfigurationError: a file that was named is missing or wrong.
        click.UsageError: there is no home anywhere.
    """
    from postroad.foundation import mailman_cfg
    from postroad.project.cli import open_home

    file = mailman_cfg.find(click.get_current_context().find_root().obj)
    home = os.environ.get("POSTROAD_HOME", "")
    if file is not None:
        os.environ.setdefault("POSTROAD_SITE_MAILMAN_CFG", str(file))
        cfg = mailman_cfg.read(file)
        var_dir = cfg.paths()["var_dir"]
        home = home or cfg.get("postroad", "home") or (var_dir if Path(var_dir, "postroad.toml").exists() else "")
    return open_home(home or "/var/lib/postroad")


class SiteCommand(click.Command):
    """A subcommand that works on the site: all of it is one transaction, so a failure leaves nothing half done."""

    def invoke(self, ctx: click.Context) -> Any:
        """Open the site and run."""
        open_site()
        from django.db import transaction

        with transaction.atomic():
            return super().invoke(ctx)


def site_command(name: str) -> Callable[[F], click.Command]:
    """Declare a subcommand that works on the site."""
    return click.command(name, cls=SiteCommand, context_settings=HELP)


def fail(text: str) -> click.UsageError:
    """What is wrong, to be raised: usage and text on standard error, exit code 2."""
    return click.UsageError(text, click.get_current_context())


def main() -> None:
    """The `mailman` program."""
    run(mailman, "mailman")
