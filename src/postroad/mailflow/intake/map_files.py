"""The lists' addresses as files an MTA reads, in the form Mailman writes them (facts: config §3).

For Postfix `postfix_lmtp` (transport_maps), `postfix_domains` (relay_domains) and, where a domain has an alias,
`postfix_vmap` (virtual_alias_maps); for Exim a folder for each list. A file is there whole, old or new; one that
would not change is left alone.
"""

import fcntl
import logging
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from postroad.community.lists.addresses import PARTS
from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.errors import TryLater
from postroad.foundation.sections import Maps
from postroad.mailflow.intake.maps import transport

log = logging.getLogger("postroad.intake")

WITH_EXTENSION = ("bounces", "confirm")
"""Parts whose address may have more behind a `+`: an address of VERP, or a token."""
POSTMAP_SECONDS = 60


class ListAddress(NamedTuple):
    """A list by its name, the host of its domain, and the one its mail comes in at."""

    name: str
    mail_host: str
    alias: str | None

    @property
    def host(self) -> str:
        """Where mail comes in: Postfix knows the alias, if there is one."""
        return self.alias or self.mail_host


def rewrite() -> None:
    """Bring the site's files up to date after lists came or went; a failure is told in the log, and harms no list."""
    if current().maps.files == "none" or current().site.shadow:
        return  # Those of a living Mailman are its own: mail to a list that was made there would bounce.
    try:
        write(folder_of(current().maps), current().maps)
    except (OSError, TryLater) as error:
        log.error("the MTA's files were not written: %s", error)


def folder_of(maps: Maps) -> Path:
    """Where the site's files lie."""
    return current().home / maps.folder


def write(folder: Path, maps: Maps) -> list[Path]:
    """Write the files of `[maps]` into a folder; those that are there now.

    Raises:
        OSError: the folder or a file cannot be written.
        TryLater: postmap failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        rows = MailingList.objects.order_by("mail_host", "list_name")
        lists = [ListAddress(*row) for row in rows.values_list("list_name", "mail_host", "domain__alias_domain")]
        if maps.files == "exim":
            return _write_folders(folder, lists)
        return _write_postfix(folder, lists, maps)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time, whatever process it is in."""
    with (folder / ".maps.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- Postfix


def _write_postfix(folder: Path, lists: list[ListAddress], maps: Maps) -> list[Path]:
    regex = maps.type == "regex"
    texts = {
        "postfix_lmtp": "".join(_lmtp(lists, regex=regex)),
        "postfix_domains": "".join(_domains(lists, regex=regex)),
        "postfix_vmap": "".join(_aliases(lists, regex=regex)),
    }
    if not texts["postfix_vmap"]:
        del texts["postfix_vmap"]
        for path in folder.glob("postfix_vmap*"):
            path.unlink()
    for name, text in texts.items():
        changed = _write_if_changed(folder / name, f"{_HEADER}{text}")
        if not regex and (changed or not list(folder.glob(f"{name}.*"))):
            _postmap(folder / name, maps)
    return [folder / name for name in texts]


_HEADER = "# Written by Postroad whenever lists come or go; changes made here are lost.\n"


def _lmtp(lists: Iterable[ListAddress], *, regex: bool) -> Iterator[str]:
    """For each address of each list, where its mail goes."""
    goal, before = transport(), ""
    for found in lists:
        if found.host != before:
            before = found.host
            yield f"\n# Lists of {found.host}\n"
        keys = [_key(found, part, regex=regex) for part in ("", *sorted(PARTS))]
        width = max(map(len, keys))
        yield "".join(f"{key:{width}} {goal}\n" for key in keys) + "\n"


def _domains(lists: Iterable[ListAddress], *, regex: bool) -> Iterator[str]:
    """The hosts that have lists."""
    for host, mail_host in sorted({(found.host, found.mail_host) for found in lists}):
        yield f"{f'/^{re.escape(host)}$/' if regex else host} {mail_host}\n"


def _aliases(lists: Iterable[ListAddress], *, regex: bool) -> Iterator[str]:
    """Addresses in a domain with an alias → the same in the alias."""
    for found in lists:
        if found.alias is None:
            continue
        for part in ("", *sorted(PARTS)):
            key = _key(found._replace(alias=None), part, regex=regex)
            extension = "$1" if regex and part in WITH_EXTENSION else ""
            yield f"{key} {_local(found, part)}{extension}@{found.alias}\n"
        yield "\n"


def _local(found: ListAddress, part: str) -> str:
    return f"{found.name}-{part}" if part else found.name


def _key(found: ListAddress, part: str, *, regex: bool) -> str:
    """What Postfix compares an address with."""
    local = _local(found, part)
    if not regex:
        return f"{local}@{found.host}"
    extension = r"(\+.*)?" if part in WITH_EXTENSION else ""
    return f"/^{re.escape(local)}{extension}@{re.escape(found.host)}$/"


def _write_if_changed(path: Path, text: str) -> bool:
    """Put the file in its place at once; whether that was needed."""
    octets = text.encode()
    if path.exists() and path.read_bytes() == octets:
        return False
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(octets)
    new.replace(path)
    return True


def _postmap(path: Path, maps: Maps) -> None:
    """Make Postfix's table of a file; postmap puts it in its place at once, too.

    Raises:
        TryLater: it is not there, or failed.
    """
    command = [*shlex.split(maps.postmap), f"{maps.type}:{path}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=POSTMAP_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TryLater(f"{' '.join(command)}: {error}") from None
    if done.returncode:
        raise TryLater(f"{' '.join(command)}: {done.stderr.strip() or f'exit code {done.returncode}'}")


# --- Exim


def _write_folders(folder: Path, lists: Iterable[ListAddress]) -> list[Path]:
    """A folder for each list; those of lists that are gone go, if nobody put anything into them."""
    wanted = {folder / f"{found.name}.{found.mail_host}" for found in lists}
    for path in wanted:
        path.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir() and path not in wanted and not any(path.iterdir()):
            path.rmdir()
    return sorted(wanted)
