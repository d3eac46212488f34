"""What a recipient address means: which list, and which of its parts (facts: mail flow §1). Asked at every RCPT."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from django.db import connection

from postroad.foundation.message.addresses import domain_forms
from postroad.foundation.queue.envelope import Kind

PARTS: Mapping[str, Kind] = MappingProxyType(
    {
        "bounces": "bounces",
        "confirm": "confirm",
        "join": "join",
        "subscribe": "join",
        "leave": "leave",
        "unsubscribe": "leave",
        "owner": "owner",
        "request": "request",
    }
)


class Resolved(NamedTuple):
    """The list an address belongs to, what it is for, and the VERP address or token after its `+`."""

    mailing_list_pk: int
    list_id: str
    kind: Kind
    extra: str


_QUERY = (
    "SELECT l.id, l.list_id, l.list_name, l.mail_host FROM lists_list l"
    " WHERE l.mail_host IN (%s, %s) AND l.list_name IN (%s, %s)"
    " UNION ALL SELECT l.id, l.list_id, l.list_name, l.mail_host FROM lists_domain d JOIN lists_list l"
    " ON l.mail_host=d.mail_host WHERE d.alias_domain IN (%s, %s) AND l.list_name IN (%s, %s)"
)


def resolve(recipient: str) -> Resolved | None:
    """The list this address belongs to, by one query; None if it is no list's.

    Domains are compared in either of their forms (RFC 5891 §4.4). A list called `dogs-owner` goes before the owners
    of `dogs`, a domain before another one's alias.
    """
    whole, at, domain = recipient.partition("@")
    if not at or "\0" in recipient:
        return None
    local, _, extra = whole.partition("+")
    local, hosts = local.lower(), domain_forms(domain)
    name, _, part = local.rpartition("-")
    kind = PARTS.get(part) if name else None
    base = name if kind else local
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, (*hosts, local, base, *hosts, local, base))
        rows = cursor.fetchall()
    if not rows:
        return None
    pk, list_id, found, _ = min(rows, key=lambda row: (row[3] not in hosts, row[2] != local, row[0]))
    if found == local:
        return Resolved(pk, list_id, "posting", extra)
    return Resolved(pk, list_id, kind or "posting", extra)


_HOSTS = "SELECT 1 FROM lists_domain WHERE mail_host IN (%s, %s) OR alias_domain IN (%s, %s) LIMIT 1"


def is_mail_host(name: str) -> bool:
    """Whether lists may have their addresses at this host, by its own name or as another one's alias."""
    if "\0" in name:
        return False
    forms = domain_forms(name)
    with connection.cursor() as cursor:
        cursor.execute(_HOSTS, (*forms, *forms))
        return cursor.fetchone() is not None
