"""What moderators do to an archive: take mails and conversations out, and put a conversation where it belongs."""

from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive import rows
from postroad.mailflow.archive.freshness import touch
from postroad.mailflow.archive.models import Mail, Thread
from postroad.mailflow.archive.reading import read, subject_of_thread
from postroad.mailflow.archive.search import index

_AT_ONCE = 500


@transaction.atomic
def delete_mail(mail: Mail) -> Thread | None:
    """Take a mail out of the archive; its conversation, or None when that held nothing else.

    Its replies become replies of what it answered; without that, the earliest takes its place and the others in.
    """
    heir, replies = mail.parent_id, Mail.objects.filter(parent=mail)
    if heir is None:
        heir = replies.order_by("date", "pk").values_list("pk", flat=True).first()
        replies.filter(pk=heir or 0).update(parent=None)
    replies.exclude(pk=heir or 0).update(parent_id=heir)
    remove_mails([mail.pk])
    return Thread.objects.filter(pk=mail.thread_id).first()


@transaction.atomic
def delete_thread(thread: Thread) -> None:
    """Take a conversation out of the archive."""
    while mails := list(Mail.objects.filter(thread=thread).order_by("-pk")[:_AT_ONCE]):
        _remove(mails)
    thread.delete()
    touch([thread.mailing_list_id])


@transaction.atomic
def delete_archive(mailing_list: MailingList) -> int:
    """Take everything out of a list's archive; how many mails it had."""
    removed = 0
    while mails := list(Mail.objects.filter(mailing_list=mailing_list).order_by("-pk")[:_AT_ONCE]):
        _remove(mails)
        removed += len(mails)
    Thread.objects.filter(mailing_list=mailing_list).delete()
    touch([mailing_list.pk])
    return removed


def remove_mails(keys: Sequence[int]) -> None:
    """Take mails out of the archive, of whatever list; replies that are left stand alone."""
    mails = list(Mail.objects.filter(pk__in=keys))
    _remove(mails)
    sum_up({mail.thread_id for mail in mails})
    touch({mail.mailing_list_id for mail in mails})


def _remove(mails: Sequence[Mail]) -> None:
    """The rows of mails, their words in the index, and their share of the months."""
    raws = storage.load_many({mail.message for mail in mails})
    index.remove([index.Row(m.pk, m.mailing_list_id, *read(raws[m.message]).words) for m in mails if m.message in raws])
    rows.count_months(Counter({month: -count for month, count in rows.months_of(mails).items()}))
    Mail.objects.filter(pk__in=[mail.pk for mail in mails]).delete()


def sum_up(threads: Iterable[int]) -> None:
    """Write what the rows of conversations say of their mails anew; those without any go."""
    keys = list(threads)
    Thread.objects.filter(pk__in=keys, mails__isnull=True).delete()
    totals = Mail.objects.filter(thread__in=keys).values("thread").annotate(n=Count("pk"), a=Min("date"), z=Max("date"))
    for total in totals:
        mails = Mail.objects.filter(thread=total["thread"])
        first = mails.filter(parent=None).order_by("date", "pk").first() or mails.order_by("date", "pk")[0]
        last = mails.order_by("-date", "-pk")[0]
        Thread.objects.filter(pk=total["thread"]).update(
            count=total["n"], first_at=total["a"], last_at=total["z"], subject=subject_of_thread(first.subject),
            starter=(first.sender_name or first.sender_email)[:255],
            last_by=(last.sender_name or last.sender_email)[:255], changed_at=timezone.now(),
        )  # fmt: skip


@transaction.atomic
def reattach(thread: Thread, to: str) -> Thread:
    """Make a conversation part of another of its list: its first mail becomes a reply to `to`, a Message-ID hash.

    Its old address leads to the new one ever after.

    Raises:
        NotFound: the list has no such mail.
        BadInput: it is a mail of this very conversation.
    """
    found = Mail.objects.select_related("thread").filter(mailing_list=thread.mailing_list_id)
    parent = found.filter(message_id_hash=to.strip().upper()[:32]).first()
    if parent is None:
        raise NotFound("This list has no mail with that address. Copy the address of a mail's own page.")
    if parent.thread_id == thread.pk:
        raise BadInput("That mail is part of this conversation already.")
    Mail.objects.filter(thread=thread, parent=None).update(parent=parent)
    rows.join({thread.pk: parent.thread_id})
    sum_up([parent.thread_id])
    touch([thread.mailing_list_id])
    return parent.thread
