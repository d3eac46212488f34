"""The verbs of importers: conversations and mails as another archive had them, with what its readers added.

Threads and parents are taken as they are told, for people have mended them by hand; nothing is woven anew.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from postroad.foundation.storage import actions as storage
from postroad.foundation.storage.packing import Packed
from postroad.mailflow.archive import rows
from postroad.mailflow.archive.freshness import touch
from postroad.mailflow.archive.models import AwaitedMail, Favorite, LastView, Mail, Tag, Thread, Vote
from postroad.mailflow.archive.reading import Reading, on_one_line, subject_of_thread
from postroad.mailflow.archive.search import index
from postroad.mailflow.archive.tending import sum_up

_STEPS_AT_ONCE = 50
"""Mails upwards that one query of `Tops` reads."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread as another archive had it; `key` is in its addresses."""

    mailing_list: int
    key: str
    active_at: datetime
    category: str = ""


@dataclass(slots=True)
class OldMail:
    """A mail as another archive had it. What is told here goes before what its bytes say."""

    mailing_list: int
    thread: int
    content: Packed
    reading: Reading
    message_id: str
    message_id_hash: str
    subject: str
    sender_name: str
    sender_email: str
    date: datetime
    archived_at: datetime
    parent: "int | OldMail | None" = None
    """The mail above: the key of its row, or another mail of the same call."""
    awaits: str = ""
    """Hash of the Message-ID of a mail above that is not there; if it ever comes, it takes its place."""
    key: int = 0
    """The key of the row, once there is one."""


def bring_threads(conversations: Sequence[Conversation]) -> list[int]:
    """Make these threads, still without mails, or make those with the same key like them; the keys of their rows."""
    made = [
        Thread(
            mailing_list_id=c.mailing_list, key=c.key, subject="", first_at=c.active_at, last_at=c.active_at, count=0,
            category=c.category[:64],
        )
        for c in conversations
    ]  # fmt: skip
    unique = ["mailing_list", "key"]
    Thread.objects.bulk_create(made, update_conflicts=True, unique_fields=unique, update_fields=["category"])
    return [row.pk for row in made]


def drop_empty_threads(keys: Iterable[int]) -> None:
    """Take away threads that no mail is in."""
    Thread.objects.filter(pk__in=list(keys), mails__isnull=True).delete()


def bring_mails(mails: Sequence[OldMail]) -> list[int]:
    """Archive these mails, none of which is there, in the present transaction; the keys of their rows, in order."""
    keys = storage.store_many(mail.content for mail in mails)
    numbers = rows.reserve(Mail)
    for mail in mails:
        mail.key = next(numbers)
    rows.insert((_row(mail, key), mail.mailing_list, mail.archived_at) for mail, key in zip(mails, keys, strict=True))
    AwaitedMail.objects.bulk_create(
        AwaitedMail(mailing_list_id=m.mailing_list, message_id_hash=m.awaits, mail_id=m.key, nearness=0)
        for m in mails
        if m.awaits and m.parent is None
    )
    _grow(mails)
    touch({mail.mailing_list for mail in mails})
    rows.count_months(Counter((m.mailing_list, m.date.year, m.date.month) for m in mails))
    index.add([index.Row(m.key, m.mailing_list, *m.reading.words) for m in mails])
    return [mail.key for mail in mails]


def _row(mail: OldMail, key: str) -> rows.NewMail:
    parent = mail.parent.key if isinstance(mail.parent, OldMail) else mail.parent
    return rows.NewMail(
        mail.key, key, mail.message_id[:998], mail.message_id_hash, on_one_line(mail.subject),
        on_one_line(mail.sender_name)[:255], mail.sender_email[:320], mail.date, mail.reading.size,
        mail.reading.preview, mail.reading.attachments, mail.thread, parent,
    )  # fmt: skip


def _grow(mails: Sequence[OldMail]) -> None:
    """Let threads know their new mails; costs the same in a thread of any length."""
    threads = Thread.objects.in_bulk({mail.thread for mail in mails})
    for mail in mails:
        thread = threads[mail.thread]
        author = on_one_line(mail.sender_name or mail.sender_email)[:255]
        if not thread.count:
            thread.first_at = thread.last_at = mail.date
        if not thread.count or (mail.parent is None and mail.date <= thread.first_at):
            thread.subject, thread.starter = subject_of_thread(on_one_line(mail.subject)), author
        if mail.date >= thread.last_at:
            thread.last_at, thread.last_by = mail.date, author
        thread.first_at = min(thread.first_at, mail.date)
        thread.count += 1
    moment = connection.ops.adapt_datetimefield_value
    now = moment(timezone.now())
    with connection.cursor() as cursor:
        # Django's bulk_update takes four milliseconds for each row.
        cursor.executemany(
            "UPDATE archive_thread SET subject = %s, starter = %s, first_at = %s, last_at = %s, last_by = %s,"
            " count = %s, changed_at = %s WHERE id = %s",
            [
                (t.subject, t.starter, moment(t.first_at), moment(t.last_at), t.last_by, t.count, now, t.pk)
                for t in threads.values()
            ],
        )


class Tops:
    """The mail at the top of each conversation's piece. A way up is walked once, however many mails stand on it."""

    def __init__(self, known: MutableMapping[int, int]) -> None:
        """`known` is filled: a mail, and one that stands above it, the top one for most."""
        self._known = known

    def of(self, mail: int) -> int:
        """The mail above which there is none; a mail by itself where it is that, or is not there."""
        passed = []
        while (above := self._above(mail)) != mail:
            passed.append(mail)
            mail = above
        self._known.update(dict.fromkeys(passed, mail))
        return mail

    def _above(self, mail: int) -> int:
        if mail not in self._known:
            for below, above in rows.way_up(mail, _STEPS_AT_ONCE).items():
                self._known.setdefault(below, below if above is None else above)
        return self._known.setdefault(mail, mail)

    def is_below(self, mail: int, top: int) -> None:
        """Take in that a mail which was at the top stands below another, whose top is this one."""
        self._known[mail] = top


def hang(replies: Iterable[tuple[int, int]], tops: Tops) -> list[tuple[int, int]]:
    """Put mails (by key) that nothing is above below others; those that would close a ring are left out and told."""
    hung, refused = [], []
    for mail, parent in replies:
        top = tops.of(parent)
        if top == mail:
            refused.append((mail, parent))
        else:
            tops.is_below(mail, top)
            hung.append((parent, mail))
    _write_places(hung)
    return refused


def _write_places(hung: Sequence[tuple[int, int]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE archive_mail SET parent_id = %s WHERE id = %s", hung)
        cursor.executemany("DELETE FROM archive_awaited_mail WHERE mail_id = %s", [(mail,) for _, mail in hung])


def move(places: Mapping[int, tuple[int, int | None]]) -> None:
    """Put archived mails (by key) into other threads, each below another mail or at the top."""
    changed = [
        row for row in Mail.objects.filter(pk__in=list(places)) if (row.thread_id, row.parent_id) != places[row.pk]
    ]
    threads = {row.thread_id for row in changed}
    for row in changed:
        row.thread_id, parent = places[row.pk]
        if row.parent_id != parent:
            row.parent_id = None if parent is None or row.pk in rows.way_up(parent) else parent
        row.save(update_fields=["thread", "parent"])
    if threads:
        sum_up(threads | {row.thread_id for row in changed})


# --- what readers added


def hand_over(former: int, user: int) -> None:
    """Let what a reader added be another user's, who is the same person; what that one added as well stays once."""
    added = ((Vote, ("mail",)), (Tag, ("thread", "name")), (Favorite, ("thread",)), (LastView, ("thread",)))
    for model, same in added:
        twice = model._default_manager.filter(user=user, **{name: OuterRef(name) for name in same})
        model._default_manager.filter(~Exists(twice), user=former).update(user=user)


def bring_votes(votes: Sequence[tuple[int, int, int]]) -> list[int]:
    """Votes as (mail, user, 1 or -1); the keys of their rows, in order."""
    made = [Vote(mail_id=mail, user_id=user, value=1 if value > 0 else -1) for mail, user, value in votes]
    Vote.objects.bulk_create(made, update_conflicts=True, unique_fields=["mail", "user"], update_fields=["value"])
    _count_votes({mail for mail, _, _ in votes})
    return [row.pk for row in made]


def remove_votes(keys: Sequence[int]) -> None:
    """Take votes back."""
    votes = Vote.objects.filter(pk__in=keys)
    mails = set(votes.values_list("mail_id", flat=True))
    votes.delete()
    _count_votes(mails)


def _count_votes(mails: Iterable[int]) -> None:
    counted = Mail.objects.filter(pk__in=list(mails)).annotate(
        up=Count("votes", filter=Q(votes__value=1)), down=Count("votes", filter=Q(votes__value=-1))
    )
    changed = list(counted.values_list("up", "down", "pk", "mailing_list_id", "thread_id"))
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE archive_mail SET likes = %s, dislikes = %s WHERE id = %s", [row[:3] for row in changed]
        )
    touch({row[3] for row in changed}, {row[4] for row in changed})


def bring_tags(tags: Sequence[tuple[int, int, str]]) -> list[int]:
    """Words as (thread, user, word); the keys of their rows, in order."""
    made = [Tag(thread_id=thread, user_id=user, name=name[:255]) for thread, user, name in tags]
    Tag.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["thread", "name", "user"], update_fields=["name"]
    )
    touch((), {thread for thread, _, _ in tags})
    return [row.pk for row in made]


def remove_tags(keys: Sequence[int]) -> None:
    """Take words away."""
    Tag.objects.filter(pk__in=keys).delete()


def bring_favorites(favorites: Sequence[tuple[int, int]]) -> list[int]:
    """Marked threads as (thread, user); the keys of their rows, in order."""
    made = [Favorite(thread_id=thread, user_id=user) for thread, user in favorites]
    Favorite.objects.bulk_create(made, update_conflicts=True, unique_fields=["thread", "user"], update_fields=["user"])
    return [row.pk for row in made]


def remove_favorites(keys: Sequence[int]) -> None:
    """Take marks away."""
    Favorite.objects.filter(pk__in=keys).delete()


def bring_views(views: Sequence[tuple[int, int, datetime]]) -> list[int]:
    """When a reader last looked, as (thread, user, moment); the keys of their rows, in order. The newest counts."""
    newest: dict[tuple[int, int], datetime] = defaultdict(lambda: datetime.min.replace(tzinfo=views[0][2].tzinfo))
    for thread, user, at in views:
        newest[thread, user] = max(newest[thread, user], at)
    there = LastView.objects.filter(thread__in={thread for thread, _, _ in views})
    for thread, user, at in there.values_list("thread_id", "user_id", "viewed_at"):
        if (thread, user) in newest:
            newest[thread, user] = max(newest[thread, user], at)
    made = [LastView(thread_id=thread, user_id=user, viewed_at=at) for (thread, user), at in newest.items()]
    LastView.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["thread", "user"], update_fields=["viewed_at"]
    )
    keys = {(row.thread_id, row.user_id): row.pk for row in made}
    return [keys[thread, user] for thread, user, _ in views]
