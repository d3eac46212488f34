"""Who may read which archive, and the reads its pages make. Every page passes `list_for` or `readable_lists` first."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404

from postroad.community.lists.models import MailingList
from postroad.community.people.models import User
from postroad.mailflow.archive.models import Mail

PUBLIC = Q(archive_policy="public")


def _mine(user: User) -> Q:
    """Lists a person is on in any role but nonmember, by own address (verified) or as user."""
    roles = ("member", "owner", "moderator")
    as_user = Q(members__user=user, members__role__in=roles)
    by_address = Q(members__address__user=user, members__address__verified_on__isnull=False, members__role__in=roles)
    return as_user | by_address


def readable_lists(user: Any) -> "QuerySet[MailingList]":
    """The lists whose archive this visitor may read; the one gate of every reading surface."""
    rows = MailingList.objects.exclude(archive_policy="never")
    if isinstance(user, User) and user.is_active:
        if user.is_superuser:
            return rows
        return rows.filter(PUBLIC | _mine(user)).distinct()
    return rows.filter(PUBLIC)


def list_for(user: Any, list_id: str) -> MailingList:
    """The list, if this visitor may read it.

    Raises:
        Http404: there is no such list, or none for this visitor; the two look the same.
    """
    found = readable_lists(user).select_related("domain").filter(list_id=list_id).first()
    if found is None:
        raise Http404
    return found


def shown_lists(user: Any) -> "QuerySet[MailingList]":
    """The lists an overview names: advertised ones, and one's own."""
    rows = readable_lists(user)
    if isinstance(user, User) and user.is_active:
        if user.is_superuser:
            return rows.order_by("list_id")
        return rows.filter(Q(advertised=True) | _mine(user)).distinct().order_by("list_id")
    return rows.filter(advertised=True).order_by("list_id")


LONGEST_TREE = 400
"""Mails of a thread that are put in the order of a conversation; a longer one is shown by date."""


def in_order(mails: Sequence[Mail]) -> list[tuple[Mail, int]]:
    """Mails with their depth, each reply behind what it answers, siblings by date; without recursion."""
    known = {mail.pk for mail in mails}
    replies: dict[int | None, list[Mail]] = {}
    for mail in sorted(mails, key=lambda m: (m.date, m.pk)):
        replies.setdefault(mail.parent_id if mail.parent_id in known else None, []).append(mail)
    ordered: list[tuple[Mail, int]] = []
    stack = [(mail, 0) for mail in reversed(replies.get(None, []))]
    while stack:
        mail, depth = stack.pop()
        ordered.append((mail, depth))
        stack.extend((reply, depth + 1) for reply in reversed(replies.get(mail.pk, [])))
    return ordered


def mails_by_key(keys: Iterable[int]) -> list[Mail]:
    """Mails in the order of their keys given."""
    wanted = list(keys)
    found = Mail.objects.select_related("mailing_list", "thread").in_bulk(wanted)
    return [found[key] for key in wanted if key in found]
