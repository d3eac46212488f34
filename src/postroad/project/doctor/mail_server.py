"""Does the Postfix of this machine know which mail is ours? MAIL_CONFIG names another configuration, as for Postfix."""

import shutil
import subprocess
from collections.abc import Iterator

from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.project.doctor.finding import Finding, bad, note, ok

GUIDE = "docs/guides/postfix.md has the lines for main.cf"
SECONDS = 20


def look() -> Iterator[Finding]:
    """The way to a list, and its host, by Postfix's own tools."""
    first = MailingList.objects.order_by("pk").first()
    if first is None:
        return
    if _postconf() is None:
        yield note("there is no Postfix on this machine; another mail server cannot be asked", f"{GUIDE}, and for Exim")
        return
    yield _transport(first.fqdn_listname)
    yield _host(first.mail_host)


def _postconf() -> str | None:
    return shutil.which("postconf") or shutil.which("postconf", path="/usr/sbin:/usr/local/sbin")


def _transport(address: str) -> Finding:
    for table in _parameter("transport_maps"):
        goal, wrong = _query(table, address)
        if wrong:
            return bad(f"Postfix cannot read {table}: {wrong}", GUIDE)
        if goal:
            port = str(current().lmtp.listen.port)
            if goal.startswith("lmtp:") and goal.endswith(f":{port}"):
                return ok(f"Postfix hands {address} to {goal}")
            return bad(f"Postfix hands {address} to {goal}, and LMTP listens on {current().lmtp.listen}", GUIDE)
    return bad(f"Postfix knows no way to {address}: transport_maps does not name us", GUIDE)


def _host(host: str) -> Finding:
    places = ("relay_domains", "mydestination", "virtual_mailbox_domains", "virtual_alias_domains")
    for name in places:
        for entry in _parameter(name):
            if entry.lower() == host or (":" in entry and _query(entry, host)[0]):
                return ok(f"Postfix takes mail for {host} ({name})")
    return bad(f"Postfix takes no mail for {host}: it stands in none of {', '.join(places)}", GUIDE)


def _parameter(name: str) -> list[str]:
    """The entries of a list in main.cf, its variables filled in."""
    done = _run(_postconf() or "postconf", "-x", "-h", name)
    return done.stdout.replace(",", " ").split() if "{" not in done.stdout else _braced(done.stdout)


def _braced(text: str) -> list[str]:
    """Entries where some are inline tables, which hold spaces."""
    found, depth = [""], 0
    for letter in text.strip():
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter in ", \n" and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [entry for entry in found if entry]


def _query(table: str, key: str) -> tuple[str, str]:
    """What a table says about a key, and what is wrong with the table."""
    done = _run((_postconf() or "").replace("postconf", "postmap"), "-q", key, table)
    return done.stdout.strip(), done.stderr.strip() if done.returncode and done.stderr else ""


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
