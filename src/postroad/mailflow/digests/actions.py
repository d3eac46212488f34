"""The verbs of digests: collect a post, send what was collected, bump, send what is due.

Collecting and sending hold the row of the edition, so posts get their keys in the order in which they become visible,
and no post falls between two issues.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from postroad.community.lists import actions as lists
from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.queries import own_frequencies
from postroad.foundation.message.message_id import new_message_id
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import DigestReaders, Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.digests import queries, settings
from postroad.mailflow.digests.models import Edition, Issue, Post
from postroad.mailflow.digests.numbering import is_new_period, upcoming

MOST_POSTS = 500
LARGEST_ISSUE = 8_000_000
"""Octets of posts. What is collected beyond either goes into further issues: receivers take no mail of any size, and
building one needs the memory of one."""

_KILOBYTE = 1024


def collect(envelope: Envelope) -> None:
    """Keep a post for the digest, and send that when the list's size is reached."""
    mailing_list = MailingList.objects.filter(list_id=envelope.list_id).first()
    if mailing_list is None:
        queue.record(envelope, "digests", "discarded", "the list was removed meanwhile")
        return
    waiting = _count(mailing_list, envelope.size)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO digests_post (mailing_list_id, journey, message, message_id, size, received_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                mailing_list.pk, envelope.journey, envelope.message, envelope.message_id[:998], envelope.size,
                envelope.received_at,
            ),
        )  # fmt: skip
    queue.record(envelope, "digests", "collected")
    most = settings.digest_size_threshold.of(mailing_list) * _KILOBYTE
    if 0 < most <= waiting:
        send(mailing_list)


def _count(mailing_list: MailingList, size: int) -> int:
    """Count a post of this size in every edition of the list; the octets the list's own holds now."""
    held = _counted(mailing_list, size)
    if "" not in held:
        Edition.objects.get_or_create(mailing_list=mailing_list, frequency="")
        held = _counted(mailing_list, size)
    for frequency in sorted(own_frequencies(mailing_list) - set(held)):
        _open_edition(mailing_list, frequency)
    return held[""]


def _counted(mailing_list: MailingList, size: int) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE digests_edition SET posts=posts+1, size=size+%s WHERE mailing_list_id=%s RETURNING frequency, size",
            (size, mailing_list.pk),
        )
        return dict(cursor.fetchall())


def _open_edition(mailing_list: MailingList, frequency: str) -> None:
    """Begin the edition of a frequency that members chose, with what waits in the list's own."""
    own = Edition.objects.get(mailing_list=mailing_list, frequency="")
    begun = {"last_post": own.last_post, "posts": own.posts, "size": own.size, "sent_at": timezone.now()}
    Edition.objects.get_or_create(mailing_list=mailing_list, frequency=frequency, defaults=begun)


# --- sending


@transaction.atomic
def send(mailing_list: MailingList, frequency: str = "") -> int:
    """Make issues of everything that was collected for this edition; how many there are."""
    edition = (
        Edition.objects.select_for_update().filter(mailing_list=mailing_list, frequency=frequency, posts__gt=0).first()
    )
    if edition is None:
        return 0
    mailing_list.refresh_from_db()
    now = timezone.now()
    ranges = list(_ranges(mailing_list, edition.last_post))
    for posts in ranges:
        _issue(mailing_list, edition, posts, now)
    edition.posts = edition.size = 0
    edition.save()
    return len(ranges)


class _Range(NamedTuple):
    first: int
    last: int


def _ranges(mailing_list: MailingList, after: int) -> Iterator[_Range]:
    """The posts behind one, cut where an issue is full."""
    rows = Post.objects.filter(mailing_list=mailing_list, id__gt=after).order_by("id").values_list("id", "size")
    first = last = posts = total = 0
    for key, size in rows.iterator(2000):
        if posts and (posts == MOST_POSTS or total + size > LARGEST_ISSUE):
            yield _Range(first, last)
            posts = total = 0
        first = key if posts == 0 else first
        last, posts, total = key, posts + 1, total + size
    if posts:
        yield _Range(first, last)


def _issue(mailing_list: MailingList, edition: Edition, posts: _Range, now: datetime) -> None:
    """Number an issue, count on, and have it built."""
    volume, number = _take_number(mailing_list, edition, now)
    edition.last_post = posts.last
    issue = Issue.objects.create(
        mailing_list=mailing_list, frequency=edition.frequency, volume=volume, number=number, first_post=posts.first,
        last_post=posts.last,
    )  # fmt: skip
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(b"\r\n"), message_id=new_message_id(mailing_list.mail_host),
        received_at=now.timestamp(), kind="digest", list_id=mailing_list.list_id, issue=issue.pk,
    )  # fmt: skip
    queue.put("issues", envelope)
    queue.record(envelope, "digests", "begun", f"Vol {volume}, Issue {number}")


def _take_number(mailing_list: MailingList, edition: Edition, now: datetime) -> tuple[int, int]:
    if edition.frequency:
        period = settings.digest_volume_frequency.of(mailing_list)
        last = edition.sent_at if edition.next_number > 1 else None  # Before the first, it is when it was begun.
        volume, number = upcoming(edition.volume, edition.next_number, period, last, now)
        edition.volume, edition.next_number, edition.sent_at = volume, number + 1, now
    else:
        volume, number = queries.next_issue(mailing_list)
        lists.set_digest_count(mailing_list, volume=volume, number=number + 1, sent_at=now)
    return volume, number


@transaction.atomic
def bump(mailing_list: MailingList) -> tuple[int, int]:
    """Count on without sending, to a new volume if its time has come; the volume and number that are next now."""
    volume, number = queries.next_issue(mailing_list)
    if volume == mailing_list.volume:
        number += 1
    lists.set_digest_count(mailing_list, volume=volume, number=number, sent_at=timezone.now())
    return volume, number


def send_periodic(mailing_list: MailingList) -> int:
    """Send what was collected if the list wants that done by the clock; how many issues there are."""
    return send(mailing_list) if settings.digest_send_periodic.of(mailing_list) else 0


def send_due() -> None:
    """The daily round: each list's own digest, and those of members' own frequency whose time has come."""
    now = timezone.now()
    for edition in list(Edition.objects.filter(posts__gt=0).select_related("mailing_list__domain").order_by("id")):
        if not edition.frequency:
            send_periodic(edition.mailing_list)
        elif is_new_period(edition.frequency, edition.sent_at, now):
            send(edition.mailing_list, edition.frequency)


# --- what was built


class Built(NamedTuple):
    """A finished digest of one kind, and who gets it."""

    mail: bytes
    message_id: str
    readers: DigestReaders


@transaction.atomic
def release(envelope: Envelope, issue: Issue, built: Sequence[Built]) -> None:
    """Send the finished mails of an issue on, and forget the posts that no edition needs any more."""
    mailing_list = issue.mailing_list
    keys = storage.store_many(mail.mail for mail in built)
    for mail, key in zip(built, keys, strict=True):
        queue.put(
            "pipeline",
            Envelope(
                journey=envelope.journey, message=key, message_id=mail.message_id, received_at=envelope.received_at,
                size=len(mail.mail), kind="digest", list_id=envelope.list_id, digest=mail.readers,
            ),
        )  # fmt: skip
    label = f"Vol {issue.volume}, Issue {issue.number}"
    kinds = ", ".join(mode for mail in built for mode in mail.readers.modes)
    queue.record(envelope, "issues", "built" if built else "not built", kinds or "nobody reads digests")
    queue.record_many(
        (
            Envelope(
                journey=post.journey, message=post.message, message_id=post.message_id, received_at=post.received_at,
                list_id=mailing_list.list_id,
            ),
            "digests", "in a digest", f"{issue.frequency or 'the list’s'}, {label}", "",
        )
        for post in queries.posts_of(issue)
    )  # fmt: skip
    issue.delete()
    _forget(mailing_list)


def _forget(mailing_list: MailingList) -> None:
    """Drop editions whose frequency nobody wants any more, and the posts that every edition has sent."""
    wanted = {""} | own_frequencies(mailing_list)
    Edition.objects.filter(mailing_list=mailing_list, posts=0).exclude(frequency__in=wanted).delete()
    sent = Edition.objects.filter(mailing_list=mailing_list).aggregate(Min("last_post"))["last_post__min"] or 0
    building = Issue.objects.filter(mailing_list=mailing_list).aggregate(Min("first_post"))["first_post__min"]
    if building is not None:
        sent = min(sent, building - 1)
    Post.objects.filter(mailing_list=mailing_list, id__lte=sent).delete()
