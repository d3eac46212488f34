"""`postroad serve`: the whole site, or some of its roles."""

import os
import sys
from functools import partial

import click

from postroad.foundation.instance import Instance
from postroad.project.cli import home_option, open_home


@click.command("serve")
@home_option
@click.option("--role", "names", multiple=True, type=click.Choice(["mail", "delivery", "http"]), help="Only this role.")
def command(home: str | None, names: tuple[str, ...]) -> None:
    """Run the site until SIGTERM; makes the home when there is none. Says `ready` when every listener is open."""
    path = open_home(home, create=True)
    # A host may run its roles one by one; only the whole site is one of a kind.
    instance = None if names else Instance(path)
    prepare_database()
    from postroad.foundation.configuration import current
    from postroad.project.door import hand_on, open_door
    from postroad.project.roles import ROLES, mail
    from postroad.project.supervisor import RESTART, Supervisor, chosen

    load_before_forking()
    roles, lmtp = dict(chosen(ROLES, names)), current().lmtp.listen
    doors = open_door(lmtp) if "mail" in roles else []
    if doors:
        roles["mail"] = partial(mail, doors=doors)
    code = Supervisor(roles).run()
    del instance
    if code == RESTART:
        hand_on(lmtp, doors)
        # The same process number with the configuration and the program as they are now.
        os.execv(sys.executable, [sys.executable, "-m", "postroad", *sys.argv[1:]])  # noqa: S606
    sys.exit(code)


def load_before_forking() -> None:
    """Import what the roles run, so that the processes share its memory, and keep the collector off it."""
    import gc

    from django.urls import get_resolver

    import postroad.mailflow.delivery.worker
    import postroad.mailflow.timetable
    import postroad.project.http
    import postroad.project.rest_urls  # noqa: F401

    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()


def prepare_database() -> None:
    """Make the tables of a new database; an older one is left to `postroad upgrade`, which may be waiting for us.

    Raises:
        ConfigurationError: the database is of another release.
    """
    from postroad.foundation.queue.actions import paused_until, resume
    from postroad.upgrade import schema

    if not schema.make_or_check() and paused_until() is not None:
        resume()
