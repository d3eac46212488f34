"""import21: the settings, texts and people of one Mailman 2.1 list (facts: cli §8, import21)."""

from pathlib import Path

import click

from postroad.foundation.errors import BadInput
from postroad.project.mailman.cli import HELP, fail, open_site


@click.command("import21", context_settings=HELP)
@click.option("-c", "--charset", default="", help="Of its texts; else UTF-8, or what Mailman wrote its language in.")
@click.argument("listspec")
@click.argument("pickle_file", type=click.Path(path_type=Path))
def import21(charset: str, listspec: str, pickle_file: Path) -> None:
    """Bring the Mailman 2.1 list of PICKLE_FILE, a config.pck, into the list LISTSPEC, which must be there.

    The file is read and never run. `postroad import mailman2` moves a whole site, with archives and held posts.
    """
    open_site()
    from postroad.project.mailman.rosters import the_list
    from postroad.upgrade.importing.engine import run
    from postroad.upgrade.importing.progress import progress_for
    from postroad.upgrade.importing.report import as_text
    from postroad.upgrade.mailman2 import lists, people, texts
    from postroad.upgrade.mailman2.one_list import OneList

    target = the_list(listspec)
    site = OneList(
        pickle_file.parent, file=pickle_file, target=(target.list_name, target.mail_host), charset=_known(charset)
    )
    try:
        next(site.lists())
    except (BadInput, OSError) as error:
        raise fail(f"{pickle_file}: {error.strerror if isinstance(error, OSError) else error}") from None
    steps = (*lists.steps(site), *people.steps(site), *texts.steps(site))
    progress = progress_for(lambda line: click.echo(line, err=True), silent=False)
    report = run(site.name, steps, progress, take_away=True)  # The file was named, so it is meant.
    click.echo(as_text(report), nl=False)


def _known(charset: str) -> str:
    try:
        "".encode(charset or "ascii")
    except LookupError:
        raise fail(f"unknown charset: {charset}") from None
    return charset
