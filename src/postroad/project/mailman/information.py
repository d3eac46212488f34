"""conf, info, version, help (facts: cli §6)."""

import os
import sys
from pathlib import Path

import click

from postroad.foundation import mailman_cfg
from postroad.foundation.configuration import Configuration, current
from postroad.project.mailman.cli import HELP, fail, open_site, version_line


@click.command("version", context_settings=HELP)
def version() -> None:
    """Tell the version."""
    click.echo(version_line())


@click.command("help", context_settings=HELP)
@click.pass_context
def help(ctx: click.Context) -> None:  # noqa: A001 — the subcommand's name
    """Show the overview of subcommands."""
    click.echo(ctx.find_root().get_help())


@click.command("info", context_settings=HELP)
@click.option("-o", "--output", default="-", help="A file; - is standard output.")
@click.option("-v", "--verbose", is_flag=True, help="With every path.")
def info(output: str, verbose: bool) -> None:
    """Tell version, configuration, database and REST address; the password stays in postroad.toml."""
    home = open_site()
    found = current()
    lines = [
        version_line(), f"Python {sys.version}", f"config file: {found.file}", f"db url: {_without_password(found)}",
        "devmode: DISABLED", f"REST root url: http://{found.rest.listen}/3.1/",
        f"REST credentials: {found.rest.user}:(see [rest] in {found.file})",
    ]  # fmt: skip
    text = "".join(f"{line}\n" for line in lines)
    if output == "-":
        click.echo(text, nl=False)
    else:
        Path(output).write_text(text, encoding="utf-8")
    if verbose:
        click.echo(f"File system paths:\n    HOME = {home}\n    RUN_DIR = {home / 'run'}")


def _without_password(found: Configuration) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(found.database.url)
    if not parts.password:
        return found.database.url
    return found.database.url.replace(f":{parts.password}@", ":(set)@")


def in_force() -> dict[str, dict[str, str]]:
    """Mailman's sections and keys with what is in force here; what a mailman.cfg says beyond that stands as written."""
    from postroad.project import system_configuration

    found: dict[str, dict[str, str]] = {}
    named = current().site.mailman_cfg or os.environ.get("POSTROAD_SITE_MAILMAN_CFG", "")
    if named:
        for section, values in mailman_cfg.read(Path(named)).sections.items():
            found[section] = {key: " ".join(value.split()) for key, value in values.items()}
    for section, values in system_configuration.sections(current()).items():
        ours = {key: " ".join(value.split()) for key, value in values.items()}
        # What has no setting here is told as the file has it.
        kept = {key: value for key, value in found.get(section, {}).items() if not _is_ours(section, key)}
        found[section] = {**ours, **kept}
    for (section, key), ours_too in SECRETS.items():
        found[section][key] = "(set)" if getattr(current(), ours_too).password else ""
    found["database"]["url"] = _without_password(current())
    return found


SECRETS = {("mta", "smtp_pass"): "smtp", ("nntp", "password"): "nntp", ("webservice", "admin_pass"): "rest"}
"""Mailman's section and key → our section with the password, which is not shown."""


def _is_ours(section: str, key: str) -> bool:
    """Whether a key of mailman.cfg is a setting here, so that what is in force counts and not what the file says."""
    listeners = {(name, key) for name, *keys in mailman_cfg.LISTENERS.values() for key in keys}
    return (section, key) in mailman_cfg.MAPPED or (section, key) in listeners


@click.command("conf", context_settings=HELP)
@click.option("-s", "--section", help="Only this section.")
@click.option("-k", "--key", help="Only this key.")
@click.option("-o", "--output", default="-", help="A file; - is standard output.")
def conf(section: str | None, key: str | None, output: str) -> None:
    """Show the configuration in force, in Mailman's words; with --section and --key, the bare value."""
    open_site()
    found = in_force()
    if section and section not in found:
        raise fail(f"no such section: {section}")
    if section and key and key not in found[section]:
        raise fail(f"section {section} has no key {key}")
    if section and key:
        text = f"{found[section][key]}\n"
    else:
        rows = sorted((s, k, v) for s, values in found.items() for k, v in values.items())
        rows = [row for row in rows if section in (None, row[0]) and key in (None, row[1])]
        if not rows:
            raise fail(f"no section has a key {key}")
        text = "".join(f"[{s}] {k}: {v}\n" for s, k, v in rows)
    if output == "-":
        click.echo(text, nl=False)
    else:
        Path(output).write_text(text, encoding="utf-8")
