"""`postroad dkim`: keys that mail is signed with, their DNS records, and their rotation."""

import json
import time

import click

from postroad.project.cli import SiteGroup


@click.group("dkim", cls=SiteGroup)
def command() -> None:
    r"""Keys that mail is signed with.

    Make a key, publish the record that is printed, and use the key once DNS tells it:

    \b
        postroad dkim make lists.example.org
        postroad dkim use lists.example.org 202611-rsa
    """


@command.command("make")
@click.argument("domain")
@click.option(
    "--algorithm", "algorithms", multiple=True, type=click.Choice(["rsa", "ed25519"]),
    help="One of them; both unless told. Every receiver knows rsa.",
)  # fmt: skip
def make(domain: str, algorithms: tuple[str, ...]) -> None:
    """Make new keys for DOMAIN and print their DNS records; they sign nothing yet."""
    from postroad.foundation.authentication.keys import ALGORITHMS
    from postroad.mailflow.delivery import signing_keys

    chosen = [name for name in ALGORITHMS if not algorithms or name in algorithms]
    made = signing_keys.make(domain, chosen)
    for key in made:
        click.echo(_zone_line(key.record_name, signing_keys.record(key)))
    click.echo("", err=True)
    for key in made:
        click.echo(f"when DNS tells it: postroad dkim use {key.mail_host} {key.selector}", err=True)


@command.command("use")
@click.argument("domain")
@click.argument("selector")
@click.option("--unchecked", is_flag=True, help="Without asking DNS whether the record is there.")
def use(domain: str, selector: str, unchecked: bool) -> None:
    """Sign with key SELECTOR of DOMAIN from now on; the earlier key of its kind is retired."""
    from postroad.foundation.errors import BadInput
    from postroad.mailflow.delivery import signing_keys

    key = signing_keys.find(domain, selector)
    if not unchecked and not signing_keys.is_published(key):
        record = f"{key.record_name} {signing_keys.record(key)}"
        raise BadInput(f"DNS does not tell this record yet, so receivers would refuse the signature: {record}")
    for old in signing_keys.use(domain, selector):
        click.echo(f"retired {old.selector}; leave its record in DNS for a week, for mail that is on its way")
    click.echo(f"mail of {key.mail_host} is signed with {selector}")


@command.command("show")
@click.argument("domain", required=False)
@click.option("--records", is_flag=True, help="The DNS records, as lines of a zone.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(domain: str | None, records: bool, as_json: bool) -> None:
    """The keys there are, of all domains or one."""
    from postroad.mailflow.delivery import signing_keys

    keys = signing_keys.known(domain or "")
    if as_json:
        rows = [
            {
                "domain": key.mail_host, "selector": key.selector, "algorithm": key.algorithm, "state": key.state,
                "created_at": key.created_at, "name": key.record_name, "record": signing_keys.record(key),
            }
            for key in keys
        ]  # fmt: skip
        click.echo(json.dumps(rows, indent=2))
        return
    for key in keys:
        made = time.strftime("%Y-%m-%d", time.gmtime(key.created_at))
        line = f"{key.mail_host:40}{key.selector:20}{key.algorithm:10}{made:12}{key.state}"
        click.echo(_zone_line(key.record_name, signing_keys.record(key)) if records else line)


@command.command("retire")
@click.argument("domain")
@click.argument("selector")
def retire(domain: str, selector: str) -> None:
    """Sign with key SELECTOR no more, without another in its place."""
    from postroad.mailflow.delivery import signing_keys

    signing_keys.retire(domain, selector)
    click.echo(f"mail of {domain} is not signed with {selector} any more")


@command.command("remove")
@click.argument("domain")
@click.argument("selector")
@click.confirmation_option(prompt="The private key goes for good. Remove it?")
def remove(domain: str, selector: str) -> None:
    """Forget a key that is not in use."""
    from postroad.mailflow.delivery import signing_keys

    signing_keys.remove(domain, selector)
    click.echo(f"removed {selector} of {domain}")


def _zone_line(name: str, record: str) -> str:
    """A line of a zone file; a string of it holds 255 octets at most (RFC 1035 §3.3)."""
    pieces = " ".join(f'"{record[start : start + 250]}"' for start in range(0, len(record), 250))
    return f"{name}. IN TXT {pieces}"
