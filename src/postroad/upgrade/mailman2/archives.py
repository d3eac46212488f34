"""Steps: archives with all their mails, and the addresses pipermail's pages had."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from postroad.community.lists.models import MailingList
from postroad.foundation.message.message_id import message_id_hash
from postroad.mailflow.archive.models import Mail
from postroad.upgrade.importing.plan import Batch, Item, Step, fingerprint_of
from postroad.upgrade.mailman2.old_list import OldList
from postroad.upgrade.mailman2.site import OldSite
from postroad.upgrade.mbox.steps import Mailbox, keep_old_addresses, mails_step

_PAGE = re.compile(r"\d{6,}\.html")
_ANSWERED = re.compile(rb"In-Reply-To=([^\"&>\s]{3,2000})", re.IGNORECASE)
_TOP_OF_PAGE = 8192
"""Bytes of a page in which pipermail's link to the author stands."""


def steps(site: OldSite) -> tuple[Step, ...]:
    """In their order: what the pages themselves say goes before what the order of the mails suggests."""
    boxes = [box for old in site.lists() for box in _mailboxes(site, old)]
    return (
        mails_step(boxes),
        Step("pages of pipermail", lambda: _read_pages(site), _write_pages),
        Step("attachments of pipermail", lambda: _read_scrubbed(site), _write_scrubbed),
    )


def _mailboxes(site: OldSite, old: OldList) -> Iterator[Mailbox]:
    path = site.archives / f"{old.name}.mbox" / f"{old.name}.mbox"
    if path.is_file():
        folders = {folder.name for folder in (site.archives / old.name / "attachments").glob("*/*") if folder.is_dir()}
        yield Mailbox(f"{old.name}.mbox", path, "mbox", old.list_id, True, frozenset(folders))


def _read_pages(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        for folder in sorted(f for f in (site.archives / old.name).glob("*") if f.is_dir()):
            for page in sorted(folder.iterdir()):
                if _PAGE.fullmatch(page.name):
                    told = fingerprint_of(page.stat().st_size, page.stat().st_mtime_ns)
                    yield Item(f"{old.name}/{folder.name}/{page.name}", (old.list_id, page), fingerprint=told)


def _write_pages(batch: Batch) -> None:
    by_list: dict[str, dict[str, str]] = {}
    for item in batch.items:
        list_id, page = item.data
        message_id = message_id_on(page)
        batch.done(item)
        if message_id:
            by_list.setdefault(list_id, {})[page.name] = message_id_hash(message_id)
    for list_id, hashes in by_list.items():
        mailing_list = MailingList.objects.get(list_id=list_id)
        rows = Mail.objects.filter(mailing_list=mailing_list, message_id_hash__in=set(hashes.values()))
        found = dict(rows.values_list("message_id_hash", "pk"))
        keep_old_addresses(mailing_list, {page: found[hash_] for page, hash_ in hashes.items() if hash_ in found})


def message_id_on(page: Path) -> str:
    """The Message-ID of the mail on one of pipermail's pages, from the link that answers it; empty if none is there."""
    with page.open("rb") as file:
        match = _ANSWERED.search(file.read(_TOP_OF_PAGE))
    return unescape(unquote(match[1].decode("latin-1"))).strip().strip("<>") if match else ""


def _read_scrubbed(site: OldSite) -> Iterator[Item]:
    """Lists whose attachments were taken out before their mails went into the mailbox."""
    for old in site.lists():
        folder = site.archives / old.name / "attachments"
        if old.number("scrub_nondigest") and folder.is_dir():
            yield Item(old.name, str(folder), old.list_id)


def _write_scrubbed(batch: Batch) -> None:
    for item in batch.items:
        batch.done(item)
        batch.mapped(
            item,
            f"files of posts sent while scrub_nondigest was on are only in {item.data}: keep that folder; their old"
            " addresses lead to the posts",
        )
