"""Pages that have not changed are not made again: entity tags, and 304 for who has the newest (RFC 9110 §13)."""

import hashlib
import importlib.metadata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from django.contrib.messages import get_messages
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language

from postroad.community.lists.models import MailingList
from postroad.foundation.rows import select
from postroad.mailflow.archive.models import Revision, Thread

Facts = tuple[object, ...]

_RELEASE = importlib.metadata.version("postroad")


def answer(request: HttpRequest, facts: Facts, make: Callable[[], HttpResponse]) -> HttpResponseBase:
    """The page `make` gives, or 304 when the reader has it; `facts` are all that its content follows from.

    Who reads, in which language, and the release are added here. A notice that waits to be shown is never kept back.
    """
    if len(get_messages(request)) > 0:
        return make()
    user = request.user
    who = (user.pk, str(user), request.COOKIES.get("csrftoken", "")) if user.is_authenticated else ()
    whole = (_RELEASE, get_language(), request.get_full_path(), who, *facts)
    etag = f'"{hashlib.sha256(repr(whole).encode()).hexdigest()[:32]}"'
    response: HttpResponseBase = get_conditional_response(request, etag=etag) or make()
    if response.status_code in (200, 304):
        response.headers["ETag"] = etag
        response.headers["Cache-Control"] = "private, no-cache" if user.is_authenticated else "no-cache"
    return response


def of_list(mailing_list: MailingList) -> Facts:
    """What a page with a list's newest follows from."""
    changed = select(Revision, "mailing_list_id = %s", mailing_list.pk)
    return (changed[0].number if changed else None, *_settings(mailing_list))


def of_thread(mailing_list: MailingList, thread: Thread) -> Facts:
    """What a page with one conversation, or a mail of it, follows from."""
    return (thread.pk, thread.changed_at, *_settings(mailing_list))


def _settings(mailing_list: MailingList) -> Facts:
    return (mailing_list.pk, mailing_list.archive_policy, mailing_list.settings)


def touch(lists: Iterable[int], threads: Iterable[int] = ()) -> None:
    """Something that pages show of these lists and conversations changes in the present transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO archive_revision (mailing_list_id, number) VALUES (%s, 1) ON CONFLICT (mailing_list_id)"
            " DO UPDATE SET number = archive_revision.number + 1",
            [(pk,) for pk in sorted(lists)],
        )
    pks = list(threads)
    if pks:
        Thread.objects.filter(pk__in=pks).update(changed_at=datetime.now(UTC))
