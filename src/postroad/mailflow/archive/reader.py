"""What a reader adds to the archive: votes, tags, favourites, and how far they have read.

All of it by POST, for people who are signed in and may read the list; the pages ask here what to show.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q

from postroad.community.lists.models import MailingList
from postroad.community.people.models import User
from postroad.community.subscriptions.rights import may_moderate
from postroad.foundation.errors import BadInput
from postroad.foundation.rows import select
from postroad.mailflow.archive.freshness import Facts, touch
from postroad.mailflow.archive.models import Favorite, LastView, Mail, Tag, Thread, Vote

NEVER = datetime.min.replace(tzinfo=UTC)
MOST_TAGS = 20
"""Of one reader on one conversation."""
LONGEST_TAG = 40
CATEGORIES = ("announce", "question", "schedule", "todo", "policy")
"""What moderators may call a conversation."""

_BETWEEN_TAGS = re.compile(r"[^\w' -]+")


# --- what pages ask


def of_list(user: Any, mailing_list: MailingList) -> Facts:
    """What a list's page follows from, of this reader's own."""
    if not user.is_authenticated:
        return ()
    views = LastView.objects.filter(user=user, thread__mailing_list=mailing_list)
    return tuple(views.aggregate(Max("viewed_at"), Count("pk")).values())


def of_thread(user: Any, thread: Thread) -> Facts:
    """What a conversation's page follows from, of this reader's own."""
    if not user.is_authenticated:
        return ()
    viewed = LastView.objects.filter(user=user, thread=thread).values_list("viewed_at", flat=True).first()
    is_moderator = may_moderate(user, thread.mailing_list_id)
    return (viewed, Favorite.objects.filter(user=user, thread=thread).exists(), is_moderator)


def seen(user: Any, threads: Sequence[Thread]) -> dict[int, datetime] | None:
    """When this reader last looked at these conversations; None for a stranger."""
    if not user.is_authenticated:
        return None
    rows = LastView.objects.filter(user=user, thread__in=[thread.pk for thread in threads])
    return dict(rows.values_list("thread_id", "viewed_at"))


def around_thread(user: Any, mailing_list: MailingList, thread: Thread, mails: Sequence[Mail]) -> dict[str, Any]:
    """What stands around a conversation: everybody's tags, and this reader's own marks and rights."""
    tags: dict[str, bool] = {}
    for tag in select(Tag, "thread_id = %s ORDER BY name", thread.pk):
        tags[tag.name] = tags.get(tag.name, False) or tag.user_id == user.pk
    if not user.is_authenticated:
        return {"tags": tags, "votes": {}, "may_moderate": False}
    votes = Vote.objects.filter(user=user, mail__in=[mail.pk for mail in mails])
    return {
        "tags": tags, "votes": dict(votes.values_list("mail_id", "value")), "categories": CATEGORIES,
        "is_favorite": Favorite.objects.filter(user=user, thread=thread).exists(),
        "viewed_at": LastView.objects.filter(user=user, thread=thread).values_list("viewed_at", flat=True).first(),
        "may_moderate": may_moderate(user, mailing_list.pk),
    }  # fmt: skip


def around_mail(user: Any, mail: Mail) -> dict[str, Any]:
    """What stands around one mail: this reader's own vote and rights."""
    if not user.is_authenticated:
        return {"votes": {}, "may_moderate": False}
    votes = Vote.objects.filter(user=user, mail=mail)
    is_moderator = may_moderate(user, mail.mailing_list_id)
    return {"votes": dict(votes.values_list("mail_id", "value")), "may_moderate": is_moderator}


def favorites(user: User, lists: Iterable[int]) -> list[Thread]:
    """The conversations a reader marked, on lists they may read, the liveliest first."""
    rows = Thread.objects.filter(favorites__user=user, mailing_list__in=lists)
    return list(rows.select_related("mailing_list").order_by("-last_at")[:200])


# --- verbs


@transaction.atomic
def vote(user: User, mail: Mail, wish: str) -> None:
    """Say what one thinks of a mail: `1`, `-1`, or `0` for nothing any more.

    Raises:
        BadInput: another wish.
    """
    value = {"1": 1, "-1": -1, "0": 0}.get(wish)
    if value is None:
        raise BadInput(f"A vote is 1, -1 or 0, not {wish[:20]!r}.")
    if value:
        Vote.objects.update_or_create(mail=mail, user=user, defaults={"value": value})
    else:
        Vote.objects.filter(mail=mail, user=user).delete()
    counts = Vote.objects.filter(mail=mail).aggregate(
        likes=Count("pk", filter=Q(value=1)), dislikes=Count("pk", filter=Q(value=-1))
    )
    Mail.objects.filter(pk=mail.pk).update(**counts)
    touch([mail.mailing_list_id], [mail.thread_id])


@transaction.atomic
def add_tags(user: User, thread: Thread, text: str) -> list[str]:
    """Give a conversation the words in `text`, which commas separate; those that were new.

    Raises:
        BadInput: there is no word in it, or the reader has given too many.
    """
    names = list(dict.fromkeys(" ".join(name.split())[:LONGEST_TAG].lower() for name in _BETWEEN_TAGS.split(text)))
    names = [name for name in names if name]
    if not names:
        raise BadInput("A tag is a word or a few.")
    there = set(Tag.objects.filter(thread=thread, user=user).values_list("name", flat=True))
    new = [name for name in names if name not in there]
    if len(there) + len(new) > MOST_TAGS:
        raise BadInput(f"Nobody may give a conversation more than {MOST_TAGS} tags.")
    Tag.objects.bulk_create([Tag(thread=thread, user=user, name=name) for name in new], ignore_conflicts=True)
    touch([thread.mailing_list_id], [thread.pk])
    return new


@transaction.atomic
def remove_tag(user: User, thread: Thread, name: str) -> None:
    """Take one's own tag away."""
    if Tag.objects.filter(thread=thread, user=user, name=name).delete()[0]:
        touch([thread.mailing_list_id], [thread.pk])


def mark_favorite(user: User, thread: Thread, *, wanted: bool) -> None:
    """Mark a conversation to find it again, or no longer."""
    if wanted:
        Favorite.objects.get_or_create(user=user, thread=thread)
    else:
        Favorite.objects.filter(user=user, thread=thread).delete()


def mark_read(user: User, threads: Iterable[Thread]) -> None:
    """All that these conversations hold now has been read."""
    rows = [LastView(user=user, thread=thread, viewed_at=thread.last_at) for thread in threads]
    LastView.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["thread", "user"], update_fields=["viewed_at"]
    )


@transaction.atomic
def mark_list_read(user: User, mailing_list: MailingList) -> None:
    """All that a list holds now has been read; only what the reader could still see as new is written."""
    fresh = list(Thread.objects.filter(mailing_list=mailing_list).order_by("-last_at")[:1000])
    viewed = seen(user, fresh) or {}
    mark_read(user, [thread for thread in fresh if viewed.get(thread.pk, NEVER) < thread.last_at])


@transaction.atomic
def set_category(thread: Thread, name: str) -> None:
    """Call a conversation one of the `CATEGORIES`, or nothing.

    Raises:
        BadInput: another name.
    """
    if name and name not in CATEGORIES:
        raise BadInput(f"A category is one of {', '.join(CATEGORIES)}, not {name!r}.")
    Thread.objects.filter(pk=thread.pk).update(category=name)
    touch([thread.mailing_list_id], [thread.pk])
