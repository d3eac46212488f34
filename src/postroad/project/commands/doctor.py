"""`postroad doctor`: looks at everything a site needs and says what to mend, and how."""

import dataclasses
import json
import sys

import click

from postroad.project.cli import home_option, open_home


@click.command("doctor")
@home_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--quiet", "-q", is_flag=True, help="Only what is to be mended, for cron.")
@click.argument("names", nargs=-1, metavar="[CHECK]...")
def command(home: str | None, as_json: bool, quiet: bool, names: tuple[str, ...]) -> None:
    """Look at versions, settings, service, mail server, DNS, queue, disk, backups, certificates and clock.

    Exit code: 0 nothing is to be mended, 1 something is.
    """
    open_home(home)
    from postroad.foundation.errors import BadInput
    from postroad.project.doctor.checks import CHECKS, examine

    known = [name for name, _ in CHECKS]
    unknown = set(names) - set(known)
    if unknown:
        raise BadInput(f"no check is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    found = []
    width = max(map(len, known))
    for name, finding in examine(names):
        found.append({"check": name, **dataclasses.asdict(finding)})
        if as_json or (quiet and finding.state != "bad"):
            continue
        click.echo(f"{name:{width}}  {finding.state:4}  {finding.what}")
        if finding.remedy:
            click.echo(f"{'':{width}}        → {finding.remedy}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    sys.exit(1 if any(row["state"] == "bad" for row in found) else 0)
