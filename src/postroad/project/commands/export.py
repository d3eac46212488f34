"""`postroad export`: lists, members and archives as files that any program reads."""

from pathlib import Path

import click

from postroad.project.cli import home_option, open_home


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, metavar="[LIST]...")
@home_option
def command(folder: Path, names: tuple[str, ...], home: str | None) -> None:
    """Write lists into the new FOLDER: JSON, JSON lines and mbox. All lists, or those named."""
    open_home(home)
    from postroad.community.lists.models import MailingList
    from postroad.community.lists.queries import find_list
    from postroad.foundation.errors import NotFound
    from postroad.upgrade.leaving.export import export

    chosen = []
    for name in names:
        found = find_list(name)
        if found is None:
            raise NotFound(f"There is no list {name}; `postroad list show` names them all.")
        chosen.append(found)
    lists = chosen or list(MailingList.objects.order_by("list_id"))
    total = export(folder, lists, lambda line: click.echo(line, err=True))
    click.echo(f"{folder}: {len(lists)} lists, {total:,} mails")
