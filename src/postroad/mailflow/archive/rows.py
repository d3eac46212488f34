"""A batch of mails against the database: what weaving needs is read, what came out is written, a few queries each."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from postroad.community.lists.models import MailingList
from postroad.foundation.rows import among, by_key, insert_many, marks
from postroad.mailflow.archive.freshness import touch
from postroad.mailflow.archive.models import AwaitedMail, Favorite, LastView, Mail, Tag, Thread
from postroad.mailflow.archive.weaving import MOST_STEPS, Node, Strand, Wait, Weave

_MOST_PARAMETERS = 500


@dataclass(slots=True, eq=False)
class NewMail:
    """A row of `Mail` to be written; thread and parent are found by weaving."""

    pk: int
    message: str
    message_id: str
    message_id_hash: str
    subject: str
    sender_name: str
    sender_email: str
    date: datetime
    size: int
    preview: str
    attachments: int
    thread: int = 0
    parent: int | None = None
    conversation: str = ""
    """The thread's subject."""


def _chunks(values: Collection[str]) -> Iterator[list[str]]:
    ordered = list(values)
    for start in range(0, len(ordered), _MOST_PARAMETERS):
        yield ordered[start : start + _MOST_PARAMETERS]


def places_by_hash(mailing_list: MailingList, hashes: Collection[str]) -> dict[str, tuple[str, int]]:
    """Which of these Message-IDs are archived: the storage key of the content, and the row's."""
    found = "message_id_hash, message, id FROM archive_mail WHERE mailing_list_id = %s AND message_id_hash"
    return {hash_: (message, pk) for hash_, message, pk in _of_list(mailing_list, found, hashes)}


def _of_list(mailing_list: MailingList, query: str, hashes: Collection[str]) -> list[tuple[Any, ...]]:
    """What a `SELECT` finds of a list for these hashes, which stand at its end; Django's ORM would make it anew."""
    rows: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for chunk in _chunks(hashes):
            cursor.execute(f"SELECT {query} IN ({marks(len(chunk))})", [mailing_list.pk, *chunk])
            rows += cursor.fetchall()
    return rows


def weave_around(mailing_list: MailingList, coming: Collection[str], referred: Collection[str]) -> Weave:
    """What is known around mails that come and the mails they refer to."""
    weave = Weave(_new_keys(Thread), way_up)
    strands: dict[int, Strand] = {}
    places = _of_list(mailing_list, _PLACES, referred)
    waits = _of_list(mailing_list, _WAITS, coming)
    for thread in by_key(Thread, {row[2] for row in places} | {row[5] for row in waits}).values():
        strands[thread.pk] = Strand(
            thread.pk, thread.key, thread.subject, thread.first_at, thread.last_at, thread.count, thread.starter,
            thread.last_by,
        )  # fmt: skip
    for pk, hash_, thread_pk, parent in places:
        weave.know(Node(pk, hash_, strands[thread_pk], parent))
    for wait_pk, awaited, nearness, pk, hash_, thread_pk, parent in waits:
        if hash_ not in weave.nodes:
            weave.know(Node(pk, hash_, strands[thread_pk], parent))
        weave.expect(Wait(awaited, weave.nodes[hash_], nearness, wait_pk))
    return weave


_PLACES = "id, message_id_hash, thread_id, parent_id FROM archive_mail WHERE mailing_list_id = %s AND message_id_hash"
_WAITS = (
    "w.id, w.message_id_hash, w.nearness, m.id, m.message_id_hash, m.thread_id, m.parent_id"
    " FROM archive_awaited_mail w JOIN archive_mail m ON m.id = w.mail_id"
    " WHERE w.mailing_list_id = %s AND w.message_id_hash"
)


def way_up(mail: int, most: int = MOST_STEPS) -> dict[int, int | None]:
    """Which mail stands above a stored one, above that one, and so on, at most so many; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE way (id, parent_id, steps) AS ("
            "SELECT id, parent_id, 1 FROM archive_mail WHERE id = %s"
            " UNION ALL SELECT m.id, m.parent_id, w.steps + 1 FROM way w JOIN archive_mail m ON m.id = w.parent_id"
            " WHERE w.steps < %s) SELECT id, parent_id FROM way",
            [mail, most],
        )
        return dict(cursor.fetchall())


def _new_keys(model: type[Model]) -> Callable[[], int]:
    """Gives keys for new rows, so that rows of one batch can name each other before they are written."""
    keys = reserve(model)
    return lambda: next(keys)


def reserve(model: type[Model]) -> Iterator[int]:
    """Keys for new rows of a table, one after the other; in the present transaction nobody else gets them."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            while True:
                cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, 100)", [table])
                yield from (row[0] for row in cursor.fetchall())
        # The write lock is held, so the counter of AUTOINCREMENT stands still.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
    last = row[0] if row else 0
    while True:
        last += 1
        yield last


def write(mailing_list: MailingList, weave: Weave, mails: Collection[NewMail]) -> None:
    """Write a woven batch. The mails' keys are those of their nodes."""
    nodes = list(weave.nodes.values())
    strands = {node.strand for node in nodes}
    living = {strand.final() for strand in strands}
    _insert_threads(mailing_list, (s for s in living if s.is_new))
    _update_threads(s for s in living if s.is_changed and not s.is_new)
    for mail in mails:
        node = weave.nodes[mail.message_id_hash]
        strand = node.strand.final()
        mail.thread, mail.conversation, mail.parent = strand.pk, strand.subject, node.parent
    now = datetime.now(UTC)
    insert((mail, mailing_list.pk, now) for mail in mails)
    join({s.pk: s.final().pk for s in strands if s.merged_into is not None and not s.is_new})
    moved = [(node.parent, node.pk) for node in nodes if node.is_moved and not node.is_new]
    with connection.cursor() as cursor:
        if moved:
            cursor.executemany("UPDATE archive_mail SET parent_id = %s WHERE id = %s", moved)
    _write_waits(mailing_list, weave)
    count_months(Counter((mailing_list.pk, mail.date.year, mail.date.month) for mail in mails))
    touch([mailing_list.pk])


_COLUMNS = (
    "id", "mailing_list_id", "thread_id", "parent_id", "message", "message_id", "message_id_hash", "subject",
    "sender_name", "sender_email", "date", "archived_at", "size", "preview", "attachments", "likes", "dislikes",
)  # fmt: skip
_INSERT = f"INSERT INTO archive_mail ({', '.join(_COLUMNS)})"


def insert(mails: Iterable[tuple[NewMail, int, datetime]]) -> None:
    """New mails with their list and when they were archived, in one statement.

    Django's `bulk_create` takes longer than all the rest of a batch.
    """
    moment = connection.ops.adapt_datetimefield_value
    values = [
        (
            m.pk, mailing_list, m.thread, m.parent, m.message, m.message_id, m.message_id_hash, m.subject,
            m.sender_name, m.sender_email, moment(m.date), moment(archived_at), m.size, m.preview, m.attachments, 0, 0,
        )
        for m, mailing_list, archived_at in mails
    ]  # fmt: skip
    insert_many(_INSERT, values)


def _insert_threads(mailing_list: MailingList, strands: Iterable[Strand]) -> None:
    moment = connection.ops.adapt_datetimefield_value
    now = moment(datetime.now(UTC))
    rows = [
        (
            s.pk, mailing_list.pk, s.key, s.subject, moment(s.first_at), moment(s.last_at), s.count, s.starter,
            s.last_by, "", now,
        )
        for s in strands
    ]  # fmt: skip
    insert_many(
        "INSERT INTO archive_thread (id, mailing_list_id, key, subject, first_at, last_at, count, starter, last_by,"
        " category, changed_at)",
        rows,
    )


def _update_threads(strands: Iterable[Strand]) -> None:
    moment = connection.ops.adapt_datetimefield_value
    now = moment(datetime.now(UTC))
    rows = [
        (s.subject, moment(s.first_at), moment(s.last_at), s.count, s.starter, s.last_by, now, s.pk)
        for s in strands
    ]  # fmt: skip
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE archive_thread SET subject = %s, first_at = %s, last_at = %s, count = %s, starter = %s,"
                " last_by = %s, changed_at = %s WHERE id = %s",
                rows,
            )


def join(conversations: Mapping[int, int]) -> None:
    """Move the mails of stored conversations, and what readers added to them, into others; none of those is moved."""
    if not conversations:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE archive_mail SET thread_id = %s WHERE thread_id = %s",
            [(into, source) for source, into in conversations.items()],
        )
    for source in _that_readers_know(conversations):
        _join_additions(source, conversations[source])
    where, keys = among("id", conversations.keys())
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM archive_thread WHERE {where}", [keys])  # noqa: S608 — our words


def _that_readers_know(threads: Collection[int]) -> set[int]:
    """Which of these conversations readers added something to."""
    where, keys = among("thread_id", threads)
    tables = [model._meta.db_table for model in (Tag, Favorite, LastView)]
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ".join(f"SELECT thread_id FROM {table} WHERE {where}" for table in tables),  # noqa: S608 — as above
            [keys] * len(tables),
        )
        return {row[0] for row in cursor.fetchall()}


def _join_additions(source: int, into: int) -> None:
    """What readers added to a conversation goes to another, but for what that one has already."""
    there = Tag.objects.filter(thread_id=into).values("name")
    Tag.objects.filter(thread_id=source).exclude(name__in=there).update(thread_id=into)
    for model in (Favorite, LastView):
        users = set(model.objects.filter(thread_id=into).values_list("user_id", flat=True))
        model.objects.filter(thread_id=source).exclude(user_id__in=users).update(thread_id=into)
    for left in (Tag, Favorite, LastView):
        left.objects.filter(thread_id=source).delete()


def _write_waits(mailing_list: MailingList, weave: Weave) -> None:
    waits = weave.every_wait()
    over = [w.pk for w in waits if w.is_over and w.pk is not None]
    if over:
        AwaitedMail.objects.filter(pk__in=over).delete()
    insert_many(
        "INSERT INTO archive_awaited_mail (mailing_list_id, message_id_hash, mail_id, nearness)",
        [(mailing_list.pk, w.hash, w.node.pk, w.nearness) for w in waits if w.pk is None and not w.is_over],
    )


def count_months(months: Mapping[tuple[int, int, int], int]) -> None:
    """Add to the counts of (list, year, month); months that come to nothing go."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO archive_month (mailing_list_id, year, month, count) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (mailing_list_id, year, month) DO UPDATE SET count = archive_month.count + excluded.count",
            [(*month, count) for month, count in sorted(months.items())],
        )
        if any(count < 0 for count in months.values()):
            cursor.execute("DELETE FROM archive_month WHERE count <= 0")


def months_of(mails: Iterable[Mail]) -> Counter[tuple[int, int, int]]:
    """How many of these mails each list's month has."""
    return Counter((mail.mailing_list_id, mail.date.year, mail.date.month) for mail in mails)
