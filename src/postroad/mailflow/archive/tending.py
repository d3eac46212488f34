"""What moderators do to an archive: take mails and conversations out, and put a conversation where it belongs."""

from collections import Counter
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from postroad.community.lists.models import MailingList
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive import rows
from postroad.mailflow.archive.freshness import touch
from postroad.mailflow.archive.models import Mail, Month, Thread
from postroad.mailflow.archive.reading import read, subject_of_thread
from postroad.mailflow.archive.search import index

_AT_ONCE = 500


@transaction.atomic
def delete_mail(mail: Mail) -> Thread | None:
    """Take a mail out of the archive; its conversation, or None when that held nothing else.

    Its replies become replies of what it answered; without that, the earliest takes its place and the others in.
    """
    thread = mail.thread
    heir, replies = mail.parent_id, Mail.objects.filter(parent=mail)
    if heir is None:
        heir = replies.order_by("date", "pk").values_list("pk", flat=True).first()
        replies.filter(pk=heir or 0).update(parent=None)
    replies.exclude(pk=heir or 0).update(parent_id=heir)
    _remove([mail])
    if not Mail.objects.filter(thread=thread).exists():
        thread.delete()
        touch(mail.mailing_list_id)
        return None
    _sum_up(thread)
    touch(mail.mailing_list_id, [thread.pk])
    return thread


@transaction.atomic
def delete_thread(thread: Thread) -> int:
    """Take a conversation out of the archive; how many mails it had."""
    removed = 0
    while mails := list(Mail.objects.filter(thread=thread).order_by("-pk")[:_AT_ONCE]):
        _remove(mails)
        removed += len(mails)
    thread.delete()
    touch(thread.mailing_list_id)
    return removed


@transaction.atomic
def delete_archive(mailing_list: MailingList) -> int:
    """Take everything out of a list's archive; how many mails it had."""
    removed = 0
    while mails := list(Mail.objects.filter(mailing_list=mailing_list).order_by("-pk")[:_AT_ONCE]):
        _remove(mails)
        removed += len(mails)
    Thread.objects.filter(mailing_list=mailing_list).delete()
    Month.objects.filter(mailing_list=mailing_list).delete()
    touch(mailing_list.pk)
    return removed


def _remove(mails: Sequence[Mail]) -> None:
    """Mails of one list, their words in the index, and their share of the months."""
    raws = storage.load_many({mail.message for mail in mails})
    index.remove([index.Row(m.pk, m.mailing_list_id, *read(raws[m.message]).words) for m in mails if m.message in raws])
    months = Counter((mail.date.year, mail.date.month) for mail in mails)
    for (year, month), count in months.items():
        rows_ = Month.objects.filter(mailing_list=mails[0].mailing_list_id, year=year, month=month)
        rows_.update(count=F("count") - count)
        rows_.filter(count__lte=0).delete()
    Mail.objects.filter(pk__in=[mail.pk for mail in mails]).delete()


def _sum_up(thread: Thread) -> None:
    """Write what a conversation's row says of its mails anew."""
    mails = Mail.objects.filter(thread=thread)
    first, last = mails.order_by("date", "pk")[0], mails.order_by("-date", "-pk")[0]
    root = mails.filter(parent=None).order_by("date", "pk").first() or first
    thread.subject, thread.starter = subject_of_thread(root.subject), root.sender_name or root.sender_email
    thread.first_at, thread.last_at, thread.last_by = first.date, last.date, last.sender_name or last.sender_email
    thread.count = mails.count()
    thread.save(update_fields=["subject", "starter", "first_at", "last_at", "last_by", "count"])


@transaction.atomic
def reattach(thread: Thread, to: str) -> Thread:
    """Make a conversation part of another of its list: its first mail becomes a reply to `to`, a Message-ID hash.

    Its old address leads to the new one ever after.

    Raises:
        NotFound: the list has no such mail.
        BadInput: it is a mail of this very conversation.
    """
    parent = (
        Mail.objects.select_related("thread")
        .filter(mailing_list=thread.mailing_list_id, message_id_hash=to.strip().upper()[:32])
        .first()
    )
    if parent is None:
        raise NotFound("This list has no mail with that address. Copy the address of a mail's own page.")
    if parent.thread_id == thread.pk:
        raise BadInput("That mail is part of this conversation already.")
    target = parent.thread
    Mail.objects.filter(thread=thread, parent=None).update(parent=parent)
    rows.join(thread.pk, target.pk)
    _sum_up(target)
    touch(thread.mailing_list_id, [target.pk])
    return target
