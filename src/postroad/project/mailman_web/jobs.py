"""runjobs, runjob, qcluster and what looked at it: the service does periodic work by itself."""

import signal
import time

import click

from postroad.foundation.errors import BadInput, NotFound
from postroad.project.mailman_web.cli import web_command

WHEN = ("minutely", "quarter_hourly", "hourly", "daily", "weekly", "monthly", "yearly")


@web_command("runjobs")
@click.argument("when", type=click.Choice(WHEN), required=False)
@click.option("-l", "--list", "only_list", is_flag=True, help="Show the timetable.")
def runjobs(when: str | None, only_list: bool) -> None:
    """Do what is due of the timetable. The service has done it by itself unless it does not run; cron gets no mail."""
    from postroad.foundation.queue.models import TaskRun
    from postroad.foundation.queue.schedule import Scheduler
    from postroad.mailflow.timetable import TASKS

    if not only_list:
        Scheduler(TASKS).run_due()
        return
    due = dict(TaskRun.objects.values_list("name", "due_at"))
    for task in TASKS:
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(due[task.name])) if task.name in due else "at the start"
        click.echo(f"{task.name:32}every {task.interval:>8.0f} s   next {at}")


@web_command("runjob")
@click.argument("app")
@click.argument("job", required=False)
def runjob(app: str, job: str | None) -> None:
    """Do one thing of the timetable now, by its name; `runjobs -l` names them all."""
    from postroad.mailflow.timetable import TASKS

    name = job or app
    for task in TASKS:
        if name in (task.name, task.name.replace(" ", "_")):
            task.run()
            return
    if app in ("hyperkitty", "django_extensions"):
        click.echo(f"{name}: nothing to do, archives are kept in order as posts come in")
        return
    raise NotFound(f"There is no job {name}; `mailman-web runjobs -l` names them all.")


@web_command("qcluster")
@click.option("--run-once", is_flag=True, help="Do not wait.")
@click.option("-n", "--name", hidden=True, expose_value=False)
def qcluster(run_once: bool) -> None:
    """Wait to be stopped. `postroad serve` does this work; a unit that starts qcluster can be switched off."""
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    click.echo("The service does the work of qcluster itself; this can be switched off")
    if not run_once:
        signal.sigwait(ends)


def _queues() -> None:
    from postroad.project.commands.queue import show

    click.get_current_context().invoke(show, as_json=False)


@web_command("qmonitor")
def qmonitor() -> None:
    """Show what waits in the queues."""
    _queues()


@web_command("qinfo")
def qinfo() -> None:
    """Show what waits in the queues."""
    _queues()


@web_command("qmemory")
def qmemory() -> None:
    """Show what waits in the queues."""
    _queues()


@web_command("runserver")
@click.argument("address", required=False)
@click.option("--noreload", "--nostatic", "--insecure", "-6", is_flag=True, hidden=True, expose_value=False)
def runserver(address: str | None) -> None:
    """Say what serves the pages here."""
    raise BadInput("`postroad serve` serves the pages, and all else that a site needs; [web] listen says where")
