"""The subcommands: those with a meaning of their own here, those of Django as they are, those with nothing to do."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from postroad.project.command_line import LazyGroup, run
from postroad.project.mailman.cli import HELP, open_site, version_line

F = TypeVar("F", bound=Callable[..., Any])

OWN: Mapping[str, tuple[str, str]] = {
    "migrate": ("database", "Bring the database to this release, keeping a way back."),
    "createsuperuser": ("accounts", "Make a person who may do everything on the site."),
    "changepassword": ("accounts", "Set a person's password."),
    "hyperkitty_import": ("archives", "Archive the mails of mbox files."),
    "rebuild_index": ("index", "Make the index of words anew."),
    "update_index": ("index", "Add to the index what it lacks."),
    "update_index_one_list": ("index", "Add to the index what it lacks of one list."),
    "clear_index": ("index", "Empty the index of words."),
    "haystack_info": ("index", "Tell how many mails the index holds."),
    "runjobs": ("jobs", "Do what is due of the timetable, should the service not run."),
    "runjob": ("jobs", "Do one thing of the timetable now."),
    "qcluster": ("jobs", "Wait to be stopped: the service does this work itself."),
    "runserver": ("jobs", "Say what serves the pages here."),
    "qmonitor": ("jobs", "Show what waits in the queues."),
    "qinfo": ("jobs", "Show what waits in the queues."),
    "qmemory": ("jobs", "Show what waits in the queues."),
    "mmclient": ("accounts", "Open a Python shell with a connected `client`."),
}
"""Name → module here, and its line in the overview."""

OF_DJANGO: Mapping[str, str] = {
    "check": "Look whether the settings agree.",
    "clearsessions": "Forget sign-ins that are over.",
    "dbshell": "Open the database's own shell.",
    "dumpdata": "Write rows as JSON.",
    "loaddata": "Read rows from JSON.",
    "sendtestemail": "Send a mail through the whole way out.",
    "shell": "Open a Python shell.",
    "showmigrations": "Show the steps the database has taken.",
    "sqlmigrate": "Show what such a step says to the database.",
    "account_unsetmultipleprimaryemails": "Leave everybody one primary address to sign in with.",
}
"""Commands that are done by Django as they are."""

NOTHING_TO_DO: Mapping[str, str] = {
    "collectstatic": "Static files are served from the package; there is nothing to collect.",
    "compress": "Style sheets and scripts come ready with the package; there is nothing to compress.",
    "mtime_cache": "Style sheets and scripts come ready with the package; there is nothing to note.",
    "compilemessages": "Translations come compiled with the package.",
    "createcachetable": "There is no cache table.",
    "mailman_sync": "Lists and archives share one database; there is nothing to synchronise.",
    "hyperkitty_warm_up_cache": "Pages are read from the database; there is no cache to warm.",
    "attachments_to_file": "Attachments are read from the stored mail; [storage] kind says where that lies.",
    "reset_passwords": "A person has one password here, the one to sign in with; it was left alone.",
    "set_default_site": "The site's name and address are [site] name and base_url in postroad.toml.",
    "build_solr_schema": "The index lies in the database; there is no schema to build.",
}
"""Commands with no work to do, and why; scripts that call them go on."""


class WebCommands(LazyGroup):
    """All of them by name."""

    program = "mailman-web"
    subcommands = {
        **{name: (f"postroad.project.mailman_web.{module}:{name}", text) for name, (module, text) in OWN.items()},
        **{name: ("", text) for name, text in {**OF_DJANGO, **NOTHING_TO_DO}.items()},
        "help": ("postroad.project.mailman_web.cli:overview", "Show this overview, or what one subcommand takes."),
    }

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand itself."""
        if cmd_name in OF_DJANGO:
            return _of_django(cmd_name)
        if cmd_name in NOTHING_TO_DO:
            return _nothing_to_do(cmd_name)
        return super().get_command(ctx, cmd_name)


@click.group(cls=WebCommands, invoke_without_command=True, context_settings=HELP)
@click.option("--version", "only_version", is_flag=True, help="Tell the version.")
@click.pass_context
def mailman_web(ctx: click.Context, only_version: bool) -> None:
    """The commands of mailman-web on a Postroad site.

    Django's own options are accepted everywhere; --settings and --pythonpath change nothing, since the site's settings
    are its postroad.toml.
    """
    if only_version:
        click.echo(version_line())
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@click.command("help", context_settings=HELP)
@click.argument("name", required=False)
@click.pass_context
def overview(ctx: click.Context, name: str | None) -> None:
    """Show the overview, or what one subcommand takes."""
    root = ctx.find_root()
    command = mailman_web.get_command(root, name) if name else None
    if name and command is None:
        raise click.UsageError(f"No such command '{name}'.", root)
    click.echo(command.get_help(click.Context(command, root, name)) if command else root.get_help())


_DJANGO_OPTIONS = (
    click.Option(["--settings"], hidden=True, expose_value=False),
    click.Option(["--pythonpath"], hidden=True, expose_value=False),
    click.Option(["-v", "--verbosity", "verbosity"], type=click.IntRange(0, 3), hidden=True, expose_value=False),
    click.Option(["--traceback"], is_flag=True, hidden=True, expose_value=False),
    click.Option(["--no-color"], is_flag=True, hidden=True, expose_value=False),
    click.Option(["--force-color"], is_flag=True, hidden=True, expose_value=False),
    click.Option(["--skip-checks"], is_flag=True, hidden=True, expose_value=False),
)


class WebCommand(click.Command):
    """A subcommand of ours; it takes the options that each of Django's has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _DJANGO_OPTIONS

    def invoke(self, ctx: click.Context) -> Any:
        """Open the site and run."""
        open_site()
        return super().invoke(ctx)


def web_command(name: str) -> Callable[[F], click.Command]:
    """Declare a subcommand that works on the site."""
    return click.command(name, cls=WebCommand, context_settings=HELP)


def _of_django(name: str) -> click.Command:
    """Django's command of this name, with its own options and help."""

    def work(arguments: tuple[str, ...]) -> None:
        open_site()
        if name == "loaddata" and "first_start" in arguments:
            click.echo("Threads have their categories without that; there is nothing to load.")
            return
        from django.core.management import ManagementUtility

        ManagementUtility(["mailman-web", name, *_without_settings(arguments)]).execute()

    return click.Command(
        name, callback=work, params=[_ARGUMENTS], add_help_option=False, context_settings=_AS_THEY_ARE
    )  # fmt: skip


def _nothing_to_do(name: str) -> click.Command:
    """A command that only says why it has nothing to do."""

    def work(arguments: tuple[str, ...]) -> None:
        click.echo(NOTHING_TO_DO[name])

    return click.Command(
        name, callback=work, params=[_ARGUMENTS], help=NOTHING_TO_DO[name], context_settings=_AS_THEY_ARE
    )


_ARGUMENTS = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
_AS_THEY_ARE = {"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]}


def _without_settings(arguments: tuple[str, ...]) -> list[str]:
    """The arguments without --settings and --pythonpath and their values."""
    left, skip = [], False
    for argument in arguments:
        name, is_whole, _ = argument.partition("=")
        if skip:
            skip = False
        elif name in ("--settings", "--pythonpath"):
            skip = not is_whole
        else:
            left.append(argument)
    return left


def main() -> None:
    """The `mailman-web` program."""
    run(mailman_web, "mailman-web")
