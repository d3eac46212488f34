"""`postroad demo`: a home to try, with samples and an outbox in place of a relay."""

import sys
from pathlib import Path

import click

from postroad.project.cli import home_option, open_home


@click.group("demo", invoke_without_command=True)
@home_option
@click.pass_context
def command(ctx: click.Context, home: str | None) -> None:
    """Make the demonstration home, if it is not there, and serve it."""
    path = Path(home or "var/demo").resolve()
    _first_file(path)
    open_home(str(path), create=True)
    from postroad.project.commands.serve import prepare_database

    prepare_database()
    _fill()
    if ctx.invoked_subcommand is None:
        _serve()


def _first_file(path: Path) -> None:
    """The demo's configuration: no relay, so everything that would be sent stays in the outbox."""
    from postroad.foundation import configuration

    file = path / "postroad.toml"
    if file.exists():
        return
    configuration.create(path)
    text = (
        file.read_text()
        .replace('name = "Postroad"', 'name = "Postroad demo"')
        .replace('host = "127.0.0.1"', 'host = ""')
    )
    file.write_text(text)


def _fill() -> None:
    from postroad.foundation.queue.worker import Worker
    from postroad.mailflow.timetable import STAGES
    from postroad.project.demo import actions

    if actions.is_filled():
        return
    actions.fill()
    Worker("demo", [stage for stage in STAGES if stage.queue == "archive"]).run_until_idle()


def _serve() -> None:
    from postroad.foundation.configuration import current
    from postroad.project.demo import actions
    from postroad.project.demo.samples import PEOPLE
    from postroad.project.roles import ROLES
    from postroad.project.supervisor import Supervisor

    web = f"http://{current().web.listen}"
    click.echo(f"pages     {web}/\noutbox    {web}/outbox/\nsign in   {PEOPLE[0][1]} with {actions.PASSWORD}")
    sys.exit(Supervisor(ROLES).run())


@command.command("post")
@click.argument("address", default="garden@lists.example.org")
@click.option("--from", "sender", default="bela@example.org", show_default=True, help="Who writes.")
@click.option("--subject", default="A post from the command line", show_default=True)
@click.option("--text", default="Hello, everybody.\n", help="What is written.")
def post(address: str, sender: str, subject: str, text: str) -> None:
    """Post to a list of the demo, and tell how to follow it."""
    from postroad.foundation.message.compose import compose
    from postroad.foundation.message.message_id import new_message_id
    from postroad.mailflow.intake.actions import accept
    from postroad.mailflow.intake.events import Transaction

    message_id = new_message_id("demo.invalid")
    data = compose(from_=sender, to=address, subject=subject, text=text, message_id=message_id)
    reply = accept([Transaction(sender, (address,), data)])[0][0]
    click.echo(f"{reply.code} {reply.text}\npostroad trace --home var/demo {message_id}")
    sys.exit(0 if reply.code == 250 else 2)
