"""start, stop, restart, reopen, status (facts: cli §5)."""

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click

from postroad.foundation import mailman_cfg
from postroad.foundation.instance import running
from postroad.project.mailman.cli import HELP, fail, open_site

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
START_SECONDS = 60.0


@click.command("start", context_settings=HELP)
@click.option("-f", "--force", is_flag=True, help="Accepted: a lock never goes stale here.")
@click.option("-g", "--generate-alias-file", is_flag=True, help="Accepted: the MTA's files are kept current anyway.")
@click.option("-u", "--run-as-user", is_flag=True, help="Accepted and not needed.")
@quiet_option
def start(force: bool, generate_alias_file: bool, run_as_user: bool, quiet: bool) -> None:
    """Start the service in the background; under systemd, let that do it: `systemctl start postroad`."""
    home = open_site()
    pid = running(home)
    if pid is not None:
        raise fail(f"it runs already, as process {pid}")
    log = home / "run" / "serve.log"
    with log.open("ab") as out, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0postroad-start-{os.getpid()}")
        child = subprocess.Popen(  # noqa: S603 — our own program
            [sys.executable, "-m", "postroad", "serve", "--home", str(home)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            env={**os.environ, "NOTIFY_SOCKET": f"@postroad-start-{os.getpid()}"},
        )  # fmt: skip
        if not _is_ready(child, heard):
            raise fail(f"it could not start; {log} says why")
    _write_pid(child.pid)
    if not quiet:
        click.echo(f"Started as process {child.pid}; its log is {log}")


def _write_pid(pid: int) -> None:
    """Where the mailman.cfg says, so that a unit of Mailman's (`Type=forking`, `PIDFile=`) finds its process."""
    named = os.environ.get("POSTROAD_SITE_MAILMAN_CFG")
    if named is None:
        return
    file = Path(mailman_cfg.read(Path(named)).paths()["pid_file"])
    try:
        file.write_text(f"{pid}\n", encoding="ascii")
    except OSError as error:
        click.echo(f"{file}: {error.strerror}", err=True)


def _is_ready(child: "subprocess.Popen[bytes]", heard: socket.socket) -> bool:
    """Wait until the service says so (sd_notify(3)), ends, or takes too long."""
    ended = os.pidfd_open(child.pid)
    try:
        readable, _, _ = select.select([heard.fileno(), ended], [], [], START_SECONDS)
    finally:
        os.close(ended)
    return heard.fileno() in readable and heard.recv(64) == b"READY=1"


def _signal(number: int, what: str, quiet: bool) -> None:
    pid = running(open_site())
    if pid is None:
        click.echo("It does not run", err=True)
        return
    os.kill(pid, number)
    if not quiet:
        click.echo(f"{what} process {pid}")


@click.command("stop", context_settings=HELP)
@quiet_option
def stop(quiet: bool) -> None:
    """Stop the service; what is in hand is finished first."""
    _signal(signal.SIGTERM, "Stopping", quiet)


@click.command("restart", context_settings=HELP)
@quiet_option
def restart(quiet: bool) -> None:
    """Restart the service, reading the configuration anew."""
    _signal(signal.SIGHUP, "Restarting", quiet)


@click.command("reopen", context_settings=HELP)
@quiet_option
def reopen(quiet: bool) -> None:
    """Do nothing: logs go to standard error, and who keeps them there rotates them."""
    if not quiet:
        click.echo("Nothing to reopen: logs go to standard error")


@click.command("status", context_settings=HELP)
def status() -> int:
    """Tell whether the service runs: exit code 1 if it does, 0 if not, as Mailman's."""
    pid = running(open_site())
    click.echo("It does not run" if pid is None else f"It runs as process {pid}")
    return 0 if pid is None else 1
