"""`postroad backup`: everything of the site in one file, while it serves."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from postroad.project.cli import home_option, open_home


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@home_option
@click.option("--replace", is_flag=True, help="FILE may exist; it is replaced when the new one is complete.")
@click.option("--check", is_flag=True, help="Only compare FILE with its checksums.")
@click.option("--json", "as_json", is_flag=True, help="The manifest, for programs.")
def command(file: Path, home: str | None, replace: bool, check: bool, as_json: bool) -> None:
    """Write everything of the site into FILE, as it is at this moment; it holds secrets.

    `postroad restore` makes a site of it again, on SQLite or PostgreSQL.
    """
    open_home(home)
    from postroad.upgrade.leaving import backup, restore

    manifest = (
        restore.check(file) if check else backup.backup(file, lambda line: click.echo(line, err=True), replace=replace)
    )
    if as_json:
        click.echo(json.dumps(asdict(manifest), indent=2))
        return
    rows = sum(member.rows for member in manifest.members)
    click.echo(f"{file}: {rows:,} rows, {file.stat().st_size / 1e6:,.1f} MB, {'whole' if check else 'complete'}")
