"""Archivers of others: which there are, which a list uses, and where they show its posts (facts: mail-flow §22).

This is the one place that names them; `mailflow/archivers` hands posts to them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Template
from urllib.parse import quote, urljoin

from postroad.community.lists.models import ListArchiver, MailingList
from postroad.foundation.configuration import current
from postroad.foundation.queue import memory
from postroad.foundation.rows import select
from postroad.foundation.sections import Archivers

OWN = "hyperkitty"
"""Name of our own archive where a list was brought from a site with HyperKitty; switched off there, it is off here."""


@dataclass(frozen=True, slots=True)
class Archiver:
    """An archiver by the name REST knows it by; `is_offered` says whether the site has it."""

    name: str
    is_offered: Callable[[Archivers], bool]
    page: Callable[[MailingList], str]
    """Where it shows the list; "" if nowhere."""
    permalink: Callable[[MailingList, str], str]
    """Where it shows the post whose Message-ID has this hash; "" if nowhere."""
    takes_private: bool = True
    """Whether it may have what only members may read."""


def values_of(mailing_list: MailingList) -> dict[str, str]:
    """What `$variables` in an archiver's addresses and command stand for."""
    address = mailing_list.fqdn_listname
    return {"listname": address, "fqdn_listname": address, "hostname": mailing_list.mail_host,
            "list_id": mailing_list.list_id}  # fmt: skip


def _nowhere(*_: object) -> str:
    return ""


def _mail_archive_page(mailing_list: MailingList) -> str:
    return urljoin(current().archivers.mail_archive_url, quote(mailing_list.fqdn_listname, safe="@"))


def _mail_archive_permalink(_: MailingList, message_id_hash: str) -> str:
    return urljoin(current().archivers.mail_archive_url, message_id_hash)


def _mhonarc_page(mailing_list: MailingList) -> str:
    return Template(current().archivers.mhonarc_url).safe_substitute(values_of(mailing_list))


def _mhonarc_permalink(mailing_list: MailingList, message_id_hash: str) -> str:
    page = _mhonarc_page(mailing_list)
    return f"{page.rstrip('/')}/{message_id_hash}" if page else ""


ARCHIVERS = (
    Archiver(
        "mail-archive", lambda site: site.mail_archive, _mail_archive_page, _mail_archive_permalink,
        takes_private=False,
    ),
    Archiver("mhonarc", lambda site: site.mhonarc, _mhonarc_page, _mhonarc_permalink),
    Archiver("prototype", lambda site: site.prototype, _nowhere, _nowhere),
)  # fmt: skip


def switches(mailing_list: MailingList) -> Mapping[str, bool]:
    """Which archivers may have the list's posts; on unless switched off.

    All that Postroad knows, as programs written for Mailman expect; those that the site has not get nothing anyway.
    """
    stored = _stored(mailing_list)
    names = [archiver.name for archiver in ARCHIVERS] + [OWN] * (OWN in stored)
    return {name: stored.get(name, True) for name in sorted(names)}


def of_mail(mailing_list: MailingList) -> tuple[Archiver, ...]:
    """The archivers that a post of this list is handed to; looked up once for a batch."""
    known = [archiver for archiver in ARCHIVERS if archiver.is_offered(current().archivers)]
    if mailing_list.archive_policy == "never" or not known:
        return ()
    stored = _stored_for_batch(mailing_list)
    is_private = mailing_list.archive_policy != "public"
    return tuple(a for a in known if stored.get(a.name, True) and (a.takes_private or not is_private))


def keeps_own(mailing_list: MailingList) -> bool:
    """Whether the list's posts go to our own archive; looked up once for a batch."""
    return mailing_list.archive_policy != "never" and _stored_for_batch(mailing_list).get(OWN, True)


def _stored(mailing_list: MailingList) -> dict[str, bool]:
    return {row.name: row.is_enabled for row in select(ListArchiver, "mailing_list_id = %s", mailing_list.pk)}


def _stored_for_batch(mailing_list: MailingList) -> dict[str, bool]:
    return memory.once(("archivers", mailing_list.pk), lambda: _stored(mailing_list))
