"""`postroad serve`: the whole site, or some of its roles."""

import contextlib
import os
import sys
from collections.abc import Callable
from functools import partial

import click

from postroad.foundation.instance import Instance
from postroad.project.cli import home_option, open_home

M_ARENA_MAX = -8
"""The parameter's number in glibc's malloc.h."""


@click.command("serve")
@home_option
@click.option("--role", "names", multiple=True, type=click.Choice(["mail", "delivery", "http"]), help="Only this role.")
def command(home: str | None, names: tuple[str, ...]) -> None:
    """Run the site until SIGTERM; makes the home when there is none. Says `ready` when every listener is open."""
    path = open_home(home, create=True)
    # A host may run its roles one by one; only the whole site is one of a kind.
    instance = None if names else Instance(path)
    if not done_apart(prepare_database):
        prepare_database()  # What went wrong goes wrong again, and is told from here.
    from postroad.foundation.configuration import current
    from postroad.project.door import hand_on, open_door
    from postroad.project.roles import ROLES, mail
    from postroad.project.supervisor import RESTART, Supervisor, chosen

    load_before_forking()
    keep_few_arenas()
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

    gc.disable()
    from django.urls import get_resolver

    import postroad.mailflow.delivery.worker
    import postroad.mailflow.timetable
    import postroad.project.http
    import postroad.project.rest_urls  # noqa: F401

    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()
    gc.enable()


def keep_few_arenas() -> None:
    """Let the threads of a process share memory that was freed; glibc would keep a heap for each of them."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # Another C library has no such habit.
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def done_apart(work: Callable[[], None]) -> bool:
    """Do something once in a process of its own, whose memory goes with it; whether it was done.

    The models of all migrations stay in the memory of who has applied them: 17 MB that each role would inherit.
    """
    pid = os.fork()
    if pid == 0:
        code = 3
        with contextlib.suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def prepare_database() -> None:
    """Make the tables of a new database; an older one is left to `postroad upgrade`, which may be waiting for us.

    Raises:
        ConfigurationError: the database is of another release.
    """
    from postroad.foundation.queue.actions import paused_until, resume
    from postroad.upgrade import schema

    if not schema.make_or_check() and paused_until() is not None:
        resume()
