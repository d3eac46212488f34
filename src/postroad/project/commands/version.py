"""`postroad version`: what runs here."""

import json
import sqlite3
import sys
from importlib.metadata import version

import click


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(as_json: bool) -> None:
    """Tell the versions of Postroad and what it runs on."""
    found = {
        "postroad": version("postroad"),
        "python": sys.version.split()[0],
        "django": version("django"),
        "sqlite": sqlite3.sqlite_version,
    }
    click.echo(json.dumps(found) if as_json else "\n".join(f"{name:10}{value}" for name, value in found.items()))
