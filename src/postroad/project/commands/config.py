"""`postroad config`: every key of postroad.toml, what is in force, what it means."""

import dataclasses
import inspect
import json
import os

import click

from postroad.project.cli import home_option, open_home


@click.command("config")
@home_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(home: str | None, as_json: bool) -> None:
    """Show every key of postroad.toml with its value; passwords are not shown."""
    open_home(home)
    from postroad.foundation.configuration import current

    found: dict[str, dict[str, object]] = {}
    for section in dataclasses.fields(current()):
        if section.name == "home":
            continue
        values = getattr(current(), section.name)
        found[section.name] = {
            field.name: "(set)"
            if field.name == "password" and getattr(values, field.name)
            else getattr(values, field.name)
            for field in dataclasses.fields(values)
        }
        if not as_json:
            click.echo(f"\n[{section.name}]  # {inspect.getdoc(values)}")
            for key, value in found[section.name].items():
                origin = " (environment)" if f"POSTROAD_{section.name}_{key}".upper() in os.environ else ""
                click.echo(f"{key} = {json.dumps(value, default=str)}{origin}")
    if as_json:
        click.echo(json.dumps(found, indent=2, default=str))
