"""Finding domains and lists, and what belongs to them."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from postroad.community.lists.models import Domain, HeaderMatch, MailingList
from postroad.foundation.message.addresses import domain_forms
from postroad.foundation.queue import memory
from postroad.foundation.rows import among, first, joined, select


def find_domain(mail_host: str) -> Domain | None:
    """The domain of this mail host, in any case and either of its forms (RFC 5891 §4.4)."""
    rows = Domain.objects.filter(mail_host__in=_forms(mail_host))
    return min(rows, key=lambda row: row.mail_host != mail_host.lower(), default=None)


def _forms(domain: str) -> set[str]:
    return {domain.lower(), *domain_forms(domain)}


def find_list(list_id_or_address: str) -> MailingList | None:
    """The list of this list-id or, if there is an @ in it, posting address; in any case."""
    if "@" in list_id_or_address:
        local, _, domain = list_id_or_address.partition("@")
        return list_by_address(local, domain)
    return first(MailingList, "list_id = %s", list_id_or_address.lower())


def list_key(list_id_or_address: str) -> int | None:
    """The key of the list that `find_list` finds, without the rest of it."""
    if "@" in list_id_or_address:
        found = find_list(list_id_or_address)
        return found.pk if found else None
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM lists_list WHERE list_id = %s", (list_id_or_address.lower(),))
        row = cursor.fetchone()
    return row[0] if row else None


def stored_row(list_id: str) -> tuple[Any, ...] | None:
    """Everything that is stored of a list itself, as the database has it: equal as long as nothing was changed."""
    columns = ", ".join(f'"{field.column}"' for field in MailingList._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM lists_list WHERE list_id = %s", (list_id,))  # noqa: S608
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def list_of_mail(list_id: str) -> MailingList | None:
    """The list, with its domain, that a mail in the queue is for; looked up once for a batch."""
    return memory.once(("list", list_id), lambda: _with_domain(list_id))


def _with_domain(list_id: str) -> MailingList | None:
    rows = joined((MailingList, Domain), "JOIN lists_domain t1 ON t1.id = t0.domain_id WHERE t0.list_id = %s", list_id)
    if not rows:
        return None
    mailing_list: MailingList = rows[0][0]
    mailing_list.domain = rows[0][1]
    return mailing_list


def list_by_address(local: str, domain: str) -> MailingList | None:
    """The list that posts to this local part and domain go to; the domain may be another domain's alias."""
    forms = _forms(domain)
    hosts = Q(mail_host__in=forms) | Q(domain__alias_domain__in=forms)
    rows = MailingList.objects.filter(hosts, list_name=local.lower()).order_by("pk")
    return min(rows, key=lambda row: row.mail_host not in forms, default=None)


def lists_of_domain(domain: Domain, *, advertised_only: bool = False) -> "QuerySet[MailingList]":
    """The lists of a domain, by list-id."""
    rows = domain.lists.order_by("list_id")
    return rows.filter(advertised=True) if advertised_only else rows


def count_members(lists: Sequence[MailingList]) -> None:
    """Give each of these lists its number of members, as `member_count`; one question for all of them."""
    members = MailingList._meta.get_field("members").related_model._meta.db_table
    where, value = among("mailing_list_id", [row.pk for row in lists])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT mailing_list_id, COUNT(*) FROM {members} WHERE {where} AND role = 'member'"  # noqa: S608
            " GROUP BY mailing_list_id",
            [value],
        )
        counts = dict(cursor.fetchall())
    for row in lists:
        row.member_count = counts.get(row.pk, 0)


def header_matches(mailing_list: MailingList) -> "QuerySet[HeaderMatch]":
    """A list's header checks in the order they are made."""
    return mailing_list.header_matches.order_by("position")


def header_matches_of_mail(mailing_list: MailingList) -> list[HeaderMatch]:
    """The same for a mail in the queue; looked up once for a batch."""
    key, where = mailing_list.pk, "mailing_list_id = %s ORDER BY position"
    return memory.once(("header matches", key), lambda: select(HeaderMatch, where, key))
