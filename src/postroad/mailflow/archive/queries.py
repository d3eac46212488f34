"""Who may read which archive, and the reads its pages make. Every page passes `list_for` or `readable_lists` first."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.http import Http404

from postroad.community.lists.models import MailingList
from postroad.community.people.models import User
from postroad.community.subscriptions.rights import on_lists
from postroad.foundation.rows import by_key, first, joined, select
from postroad.mailflow.archive.models import Mail, Month, Thread

PUBLIC = Q(archive_policy="public")


def _mine(user: User) -> Q:
    """Lists a person is on in any role but nonmember, or owns by their domain."""
    return on_lists(user, ("member", "owner", "moderator"))


def readable_lists(user: Any) -> "QuerySet[MailingList]":
    """The lists whose archive this visitor may read; the one gate of every reading surface."""
    rows = MailingList.objects.exclude(archive_policy="never")
    if isinstance(user, User) and user.is_active:
        if user.is_superuser:
            return rows
        return rows.filter(PUBLIC | _mine(user))
    return rows.filter(PUBLIC)


def readable_names(user: Any) -> list[tuple[int, str]]:
    """Keys and list-ids of the lists whose archive this visitor may read."""
    if isinstance(user, User):
        return list(readable_lists(user).values_list("pk", "list_id"))
    with connection.cursor() as cursor:
        cursor.execute(*_names_for_strangers())
        return list(cursor.fetchall())


@functools.cache
def _names_for_strangers() -> tuple[str, tuple[Any, ...]]:
    return readable_lists(None).values_list("pk", "list_id").query.sql_with_params()


def list_for(user: Any, list_id: str) -> MailingList:
    """The list, if this visitor may read it.

    Raises:
        Http404: there is no such list, or none for this visitor; the two look the same.
    """
    found = first(MailingList, "list_id = %s", list_id)
    if found is None or not _may_read(user, found):
        raise Http404
    return found


def _may_read(user: Any, mailing_list: MailingList) -> bool:
    """Whether `readable_lists` has this list; of a public one that is plain."""
    if mailing_list.archive_policy == "public":
        return True
    return readable_lists(user).filter(pk=mailing_list.pk).exists()


def shown_lists(user: Any) -> "QuerySet[MailingList]":
    """The lists an overview names: advertised ones, and one's own."""
    rows = readable_lists(user)
    if isinstance(user, User) and user.is_active:
        if user.is_superuser:
            return rows.order_by("list_id")
        return rows.filter(Q(advertised=True) | _mine(user)).order_by("list_id")
    return rows.filter(advertised=True).order_by("list_id")


# --- months


def months_by_year(mailing_list: MailingList) -> list[tuple[int, list[Month]]]:
    """The months that have mails, the newest first, by year."""
    rows = select(Month, "mailing_list_id = %s AND count > 0 ORDER BY year DESC, month DESC", mailing_list.pk)
    return [(year, list(months)) for year, months in itertools.groupby(rows, key=lambda row: row.year)]


def neighbour_months(mailing_list: MailingList, year: int, month: int) -> tuple[Month | None, Month | None]:
    """The months with mails before and behind this one."""
    of_list = "mailing_list_id = %s AND (year, month)"
    place = (mailing_list.pk, year, month)
    before = select(Month, f"{of_list} < (%s, %s) ORDER BY year DESC, month DESC LIMIT 1", *place)
    behind = select(Month, f"{of_list} > (%s, %s) ORDER BY year, month LIMIT 1", *place)
    return before[0] if before else None, behind[0] if behind else None


def threads_of_month(mailing_list: MailingList, begin: datetime, end: datetime) -> list[tuple[int, int]]:
    """Keys of the conversations that had a mail in this time, the liveliest last mail first, and how many they had.

    Read from the index alone, and only as many of its entries as the time has mails.
    """
    sql = (
        "SELECT thread_id, COUNT(*) FROM archive_mail WHERE mailing_list_id = %s AND date >= %s AND date < %s"
        " GROUP BY thread_id ORDER BY MAX(date) DESC, thread_id DESC"
    )
    moment = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(sql, [mailing_list.pk, moment(begin), moment(end)])
        return list(cursor.fetchall())


# --- conversations


LONGEST_TREE = 400
"""Mails of a thread that are put in the order of a conversation; a longer one is shown by date."""


def page_of(thread: Thread, start: int, count: int, *, by_date: bool = False) -> list[tuple[Mail, int]]:
    """So many mails of a conversation with their depths: each reply behind what it answers, siblings by date."""
    if thread.count <= count:
        mails = {mail.id: mail for mail in select(Mail, "thread_id = %s ORDER BY date, id", thread.pk)}
        parents = {key: mail.parent_id for key, mail in mails.items()}
        here = _in_order(parents, by_date=by_date)[start : start + count]
    else:
        parents = dict(Mail.objects.filter(thread=thread).order_by("date", "pk").values_list("pk", "parent_id"))
        here = _in_order(parents, by_date=by_date)[start : start + count]
        mails = by_key(Mail, [pk for pk, _ in here])
    return [(mails[pk], depth) for pk, depth in here if pk in mails]


def _in_order(parents: Mapping[int, int | None], *, by_date: bool) -> list[tuple[int, int]]:
    """Keys of mails in the order of the conversation, with their depths; without recursion.

    `parents` has the mail that each answers, by date.
    """
    if by_date:
        return [(pk, 0) for pk in parents]
    replies: dict[int | None, list[int]] = {}
    for pk, parent in parents.items():
        replies.setdefault(parent if parent in parents else None, []).append(pk)
    ordered: list[tuple[int, int]] = []
    stack = [(pk, 0) for pk in reversed(replies.get(None, ()))]
    while stack:
        pk, depth = stack.pop()
        ordered.append((pk, depth))
        stack.extend((reply, depth + 1) for reply in reversed(replies.get(pk, ())))
    return ordered


def mails_at(thread: Thread, start: int, count: int) -> list[Mail]:
    """So many mails of a conversation by date, from the nearer end: the last page costs what the first does."""
    rows = Mail.objects.filter(thread=thread).order_by("date", "pk")
    if start * 2 > thread.count:
        behind = max(0, thread.count - start - count)
        taken = max(0, min(count, thread.count - start))
        keys = list(rows.reverse().values_list("pk", flat=True)[behind : behind + taken])[::-1]
    else:
        keys = list(rows.values_list("pk", flat=True)[start : start + count])
    return mails_by_key(keys)


def mails_by_key(keys: Sequence[int]) -> list[Mail]:
    """Mails in the order of their keys given."""
    found = by_key(Mail, keys)
    return [found[key] for key in keys if key in found]


def thread_of(mailing_list: MailingList, key: str) -> Thread:
    """A conversation by its key, or by the hash of any of its mails: one that was joined to another is found there.

    Raises:
        Http404: there is none.
    """
    found = first(Thread, "mailing_list_id = %s AND key = %s", mailing_list.pk, key)
    if found is None:
        mail = Mail.objects.select_related("thread").filter(mailing_list=mailing_list, message_id_hash=key).first()
        if mail is None:
            raise Http404
        found = mail.thread
    return found


_AND_CONVERSATION = "LEFT JOIN archive_thread t1 ON t1.mailing_list_id = t0.id AND t1.key = %s WHERE t0.list_id = %s"


def thread_for(user: Any, list_id: str, key: str) -> tuple[MailingList, Thread]:
    """What `list_for` and `thread_of` find, nearly always by one query.

    Raises:
        Http404: there is no such list for this visitor, or no such conversation.
    """
    found = joined((MailingList, Thread), _AND_CONVERSATION, key, list_id)
    if not found or not _may_read(user, found[0][0]):
        raise Http404
    mailing_list, thread = found[0]
    return mailing_list, thread or thread_of(mailing_list, key)


_WITH_CONVERSATION = (
    "JOIN archive_thread t1 ON t1.id = t0.thread_id LEFT JOIN archive_mail t2 ON t2.id = t0.parent_id"
    " WHERE t0.mailing_list_id = %s AND t0.message_id_hash = %s"
)


def mail_of(mailing_list: MailingList, hash_: str) -> Mail:
    """A mail by its Message-ID hash, with its conversation and the mail it answers.

    Raises:
        Http404: there is none.
    """
    found = joined((Mail, Thread, Mail), _WITH_CONVERSATION, mailing_list.pk, hash_.upper()[:32])
    if not found:
        raise Http404
    mail: Mail
    mail, mail.thread, mail.parent = found[0]
    mail.mailing_list = mail.thread.mailing_list = mailing_list
    return mail


def neighbours(mail: Mail) -> tuple[str, str]:
    """Hashes of the mails before and behind this one in its conversation, by date; empty where there is none."""
    moment = connection.ops.adapt_datetimefield_value(mail.date)
    one = "SELECT message_id_hash FROM archive_mail WHERE thread_id = %s AND (date, id)"
    sql = f"SELECT ({one} < (%s, %s) ORDER BY date DESC, id DESC LIMIT 1), ({one} > (%s, %s) ORDER BY date, id LIMIT 1)"
    with connection.cursor() as cursor:
        cursor.execute(sql, [mail.thread_id, moment, mail.pk] * 2)
        before, behind = cursor.fetchone()
    return before or "", behind or ""
