"""Archives mails: stored, threaded and indexed in one transaction, at the same cost in a thread of any size."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import F

from postroad.community.lists.models import MailingList
from postroad.foundation.message.addresses import parse_addresses
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import date_of, message_id_hash, references_of
from postroad.mailflow.archive.models import Awaited, Mail, Month, Thread
from postroad.mailflow.archive.render import parts_of, plain_text
from postroad.mailflow.archive.search import index

_REPLY = re.compile(r"^(?:\s*(?:re|aw|sv|vs|fwd?|wg|antw)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail to be archived."""

    mailing_list: MailingList
    message: str
    """Key of its bytes in storage."""
    raw: bytes
    message_id: str
    received_at: float


def archive(incoming: Incoming) -> Mail | None:
    """Archive one mail; None when the very same is there already.

    Another content under a Message-ID that is taken gets an id of its own, so that neither hides the other.
    """
    mailing_list = incoming.mailing_list
    message_id = incoming.message_id
    same = Mail.objects.filter(mailing_list=mailing_list, message_id_hash=message_id_hash(message_id)).first()
    if same is not None:
        if same.message == incoming.message:
            return None
        message_id = f"{message_id}+{incoming.message[:16]}"
        if Mail.objects.filter(mailing_list=mailing_list, message_id_hash=message_id_hash(message_id)).exists():
            return None
    mail, references, text = _read(incoming, message_id)
    _thread(mail, references)
    _count(mail)
    index.add([(mail.pk, mailing_list.pk, mail.subject, f"{mail.sender_name} {mail.sender_email}", text)])
    return mail


def _read(incoming: Incoming, message_id: str) -> tuple[Mail, list[str], str]:
    """The mail's row, not saved yet, what it refers to, and its text."""
    headers = Headers.parse(incoming.raw)
    authors = parse_addresses(headers.get_all("from"))
    now = datetime.now(UTC)
    received = datetime.fromtimestamp(incoming.received_at, tz=UTC)
    date = date_of(headers) or received
    if date > now:
        date = received  # A clock that runs ahead would keep the mail on top for ever.
    text = plain_text(incoming.raw)
    parts = parts_of(incoming.raw)
    mail = Mail(
        mailing_list=incoming.mailing_list, message=incoming.message, message_id=message_id[:998],
        message_id_hash=message_id_hash(message_id), subject=_clean(decode_words(headers.get("subject") or "")),
        sender_name=_clean(authors[0].display_name if authors else "")[:255],
        sender_email=(authors[0].email if authors else "")[:320], date=date, archived_at=now, size=len(incoming.raw),
        preview=_preview(text), attachments=sum(1 for p in parts if p.filename or p.disposition == "attachment"),
    )  # fmt: skip
    return mail, [r for r in references_of(headers) if r != message_id], text


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())[:2000]


def _preview(text: str) -> str:
    own = [line for line in text.split("\n") if line.strip() and not line.startswith(">")]
    return _clean(" ".join(own))[:237]


def _thread(mail: Mail, references: list[str]) -> None:
    """Give the mail its place: below the nearest mail it refers to, above those that waited for it."""
    found = {
        row.message_id: row for row in Mail.objects.filter(mailing_list=mail.mailing_list, message_id__in=references)
    }
    place = next((i for i in range(len(references) - 1, -1, -1) if references[i] in found), -1)
    parent = found[references[place]] if place >= 0 else None
    waiting = list(
        Awaited.objects.filter(mailing_list=mail.mailing_list, message_id=mail.message_id).select_related("mail")
    )
    waiting = [w for w in waiting if parent is None or not _is_below(parent, w.mail)]
    mail.parent = parent
    if parent is not None:
        mail.thread = Thread.objects.get(pk=parent.thread_id)
    elif waiting:
        mail.thread = Thread.objects.get(pk=waiting[0].mail.thread_id)
    else:
        mail.thread = Thread.objects.create(
            mailing_list=mail.mailing_list, key=mail.message_id_hash, subject=subject_of_thread(mail.subject),
            first_at=mail.date, last_at=mail.date, count=0, starter=mail.sender_name or mail.sender_email,
        )  # fmt: skip
    mail.save()
    _grow(mail.thread, mail)
    Awaited.objects.bulk_create(
        Awaited(mailing_list=mail.mailing_list, message_id=references[i][:998], mail=mail, nearness=i)
        for i in range(place + 1, len(references))
    )
    _adopt(mail, waiting)


def _is_below(mail: Mail, other: Mail) -> bool:
    """Whether a mail stands below another: then the other must not become its reply (References that go in a ring)."""
    seen = 0
    current: Mail | None = mail
    while current is not None and seen < 1000:
        if current.pk == other.pk:
            return True
        current = current.parent
        seen += 1
    return False


def _grow(thread: Thread, mail: Mail) -> None:
    changes: dict[str, object] = {"count": F("count") + 1}
    if mail.date > thread.last_at:
        changes["last_at"] = mail.date
    if mail.date < thread.first_at:
        changes["first_at"] = mail.date
    if mail.parent is None and mail.date <= thread.first_at:
        changes |= {"subject": subject_of_thread(mail.subject), "starter": mail.sender_name or mail.sender_email}
    Thread.objects.filter(pk=thread.pk).update(**changes)


def _adopt(mail: Mail, waiting: Sequence[Awaited]) -> None:
    """Make those that waited replies of this mail, and their threads one with its own."""
    for awaited in waiting:
        child = awaited.mail
        Mail.objects.filter(pk=child.pk).update(parent=mail)
        Awaited.objects.filter(mail=child, nearness__lte=awaited.nearness).delete()
        if child.thread_id != mail.thread_id:
            _merge(child.thread_id, mail.thread_id)


def _merge(from_pk: int, into_pk: int) -> None:
    source = Thread.objects.get(pk=from_pk)
    into = Thread.objects.get(pk=into_pk)
    Mail.objects.filter(thread=source).update(thread=into)
    into.count += source.count
    into.first_at, into.last_at = min(into.first_at, source.first_at), max(into.last_at, source.last_at)
    into.save()
    source.delete()


def subject_of_thread(subject: str) -> str:
    """The subject without its reply marks."""
    return _REPLY.sub("", subject).strip() or "(no subject)"


def _count(mail: Mail) -> None:
    changed = Month.objects.filter(mailing_list=mail.mailing_list, year=mail.date.year, month=mail.date.month).update(
        count=F("count") + 1
    )
    if not changed:
        Month.objects.create(mailing_list=mail.mailing_list, year=mail.date.year, month=mail.date.month, count=1)
