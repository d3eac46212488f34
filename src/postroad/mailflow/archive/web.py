"""Pages to read the archive. Each asks the gate first, makes a handful of queries, and works without script."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.community.subscriptions.rights import may_moderate
from postroad.foundation.rows import by_key, select
from postroad.mailflow.archive import addresses, freshness, reader
from postroad.mailflow.archive.fragments import Row, Writer
from postroad.mailflow.archive.models import Mail, Month, Revision, Thread
from postroad.mailflow.archive.posts import author, person, posts
from postroad.mailflow.archive.queries import (
    LONGEST_TREE,
    list_for,
    mail_of,
    mails_at,
    months_by_year,
    neighbour_months,
    neighbours,
    page_of,
    shown_lists,
    thread_for,
    threads_of_month,
)
from postroad.mailflow.archive.settings import archive_rendering_mode, obscure_addresses

LISTS_ON_A_PAGE = 100
MAILS_ON_A_PAGE = 50
THREADS_ON_A_PAGE = 40
MONTHS_OF_A_SPARK = 12


def frame(mailing_list: MailingList) -> dict[str, object]:
    """What every page of a list shows."""
    settings = all_settings()
    return {
        "mailing_list": mailing_list,
        "here": addresses.of_list(mailing_list.list_id),
        "display_name": settings["display_name"].of(mailing_list),
        "description": settings["description"].of(mailing_list),
        "is_private": mailing_list.archive_policy != "public",
    }


def page_number(request: HttpRequest) -> int:
    """The page that is asked for; 1 for whatever is no number."""
    text = request.GET.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


# --- all lists


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Every list there is for this visitor, the liveliest first."""
    latest = Thread.objects.filter(mailing_list=OuterRef("pk")).order_by("-last_at")
    number = Revision.objects.filter(mailing_list=OuterRef("pk")).values("number")
    rows = (
        shown_lists(request.user)
        .annotate(latest=Subquery(latest.values("last_at")[:1]), revision=Subquery(number))
        .order_by("-latest", "list_id")
    )
    page = Paginator(rows, LISTS_ON_A_PAGE).get_page(page_number(request))
    lists: list[Any] = list(page.object_list)
    facts = [(row.pk, row.revision, row.archive_policy, row.settings) for row in lists]
    today = datetime.now(UTC).date()
    return freshness.answer(request, (today, *facts), lambda: _home(request, page, lists, today))


def _home(request: HttpRequest, page: Any, lists: Sequence[Any], today: date) -> HttpResponse:
    newest = {
        thread.mailing_list_id: thread
        for row in lists
        for thread in Thread.objects.filter(mailing_list=row, last_at=row.latest)[:1]
    }
    settings = all_settings()
    sparks = _sparks(lists, today)
    entries = [
        {
            "row": row, "name": (name := settings["display_name"].of(row)), "person": person(name, row.list_id),
            "about": settings["description"].of(row), "thread": newest.get(row.pk), "spark": sparks[row.pk],
        }
        for row in lists
    ]  # fmt: skip
    return render(request, "archive/home.html", {"lists": entries, "page": page})


def _sparks(lists: Iterable[MailingList], today: date) -> dict[int, dict[str, object]]:
    """Mails of the last twelve months as heights of bars."""
    last = today.year * 12 + today.month - 1
    counts: dict[int, list[int]] = {row.pk: [0] * MONTHS_OF_A_SPARK for row in lists}
    for month in Month.objects.filter(mailing_list__in=counts, year__gte=today.year - 1):
        place = MONTHS_OF_A_SPARK - 1 - (last - (month.year * 12 + month.month - 1))
        if 0 <= place < MONTHS_OF_A_SPARK:
            counts[month.mailing_list_id][place] = month.count
    return {pk: {"total": sum(row), "bars": _bars(row)} for pk, row in counts.items()}


def _bars(counts: Sequence[int]) -> list[tuple[int, int, int]]:
    """Place, top and height of each bar of 24 at most; a month with any mail shows one."""
    heights = [max(1, count * 24 // max(counts)) if count else 0 for count in counts]
    return [(place * 8, 24 - height, height) for place, height in enumerate(heights) if height]


# --- one list


@require_safe
def overview(request: HttpRequest, list_id: str) -> HttpResponseBase:
    """A list: its conversations, the liveliest first, and its months."""
    mailing_list = list_for(request.user, list_id)
    moderates = may_moderate(request.user, mailing_list.pk)
    facts = (*freshness.of_list(mailing_list), *reader.of_list(request.user, mailing_list), moderates)
    return freshness.answer(request, facts, lambda: _overview(request, mailing_list, moderates=moderates))


def _overview(request: HttpRequest, mailing_list: MailingList, *, moderates: bool) -> HttpResponse:
    number = page_number(request)
    start = (number - 1) * THREADS_ON_A_PAGE
    latest = "mailing_list_id = %s ORDER BY last_at DESC LIMIT %s OFFSET %s"
    threads = select(Thread, latest, mailing_list.pk, THREADS_ON_A_PAGE + 1, start)
    if number > 1 and not threads:
        raise Http404
    context = {
        **frame(mailing_list), "rows": thread_rows(request, mailing_list, threads[:THREADS_ON_A_PAGE]),
        "has_rows": bool(threads),
        "years": months_by_year(mailing_list), "info": all_settings()["info"].of(mailing_list), "number": number,
        "previous": number - 1, "next": number + 1 if len(threads) > THREADS_ON_A_PAGE else 0,
        "may_moderate": moderates,
    }  # fmt: skip
    return render(request, "archive/overview.html", context)


def thread_rows(request: HttpRequest, mailing_list: MailingList, threads: Sequence[Thread]) -> SafeString:
    """Conversations as rows of a page; for a reader who is signed in, with what is new to them."""
    seen = reader.seen(request.user, threads)
    return Writer(request, mailing_list).rows(
        Row(thread, seen is not None and seen.get(thread.pk, reader.NEVER) < thread.last_at) for thread in threads
    )


@require_safe
def month(request: HttpRequest, list_id: str, year: int, month: int) -> HttpResponseBase:
    """The conversations of a month that had a mail in it."""
    mailing_list = list_for(request.user, list_id)
    begin = first_of(year, month)
    facts = (*freshness.of_list(mailing_list), *reader.of_list(request.user, mailing_list))
    return freshness.answer(request, facts, lambda: _month(request, mailing_list, begin))


def _month(request: HttpRequest, mailing_list: MailingList, begin: datetime) -> HttpResponse:
    counts = threads_of_month(mailing_list, begin, behind(begin))
    if not counts:
        raise Http404
    page = Paginator(counts, THREADS_ON_A_PAGE).get_page(page_number(request))
    found = by_key(Thread, [pk for pk, _ in page.object_list])
    rows = thread_rows(request, mailing_list, [found[pk] for pk, _ in page.object_list if pk in found])
    earlier, later = neighbour_months(mailing_list, begin.year, begin.month)
    context = {
        **frame(mailing_list), "page": page, "begin": begin, "rows": rows, "mails": sum(n for _, n in counts),
        "earlier": earlier, "later": later,
    }  # fmt: skip
    return render(request, "archive/month.html", context)


def first_of(year: int, month: int) -> datetime:
    """The first moment of a month.

    Raises:
        Http404: there is no such month.
    """
    try:
        return datetime(year, month, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Http404 from None


def behind(begin: datetime) -> datetime:
    """The first moment that is no longer in the month that begins then."""
    if (begin.year, begin.month) == (9999, 12):
        raise Http404
    return datetime(begin.year + begin.month // 12, begin.month % 12 + 1, 1, tzinfo=UTC)


# --- one conversation


@require_safe
def thread(request: HttpRequest, list_id: str, key: str) -> HttpResponseBase:
    """A whole conversation, or a page of it."""
    mailing_list, found = thread_for(request.user, list_id, key.upper()[:32])
    if found.key != key:
        return HttpResponsePermanentRedirect(reverse("archive:thread", args=(list_id, found.key)))
    facts = (*freshness.of_thread(mailing_list, found), *reader.of_thread(request.user, found))
    return freshness.answer(request, facts, lambda: _thread(request, mailing_list, found))


def _thread(request: HttpRequest, mailing_list: MailingList, found: Thread) -> HttpResponse:
    by_date = request.GET.get("sort") == "date" or found.count > LONGEST_TREE
    pages = Paginator(range(found.count), MAILS_ON_A_PAGE)
    page = pages.get_page(page_number(request))
    depths: dict[int, int] = {}
    if found.count > LONGEST_TREE:
        mails = mails_at(found, page.start_index() - 1, MAILS_ON_A_PAGE)
    else:
        here = page_of(found, page.start_index() - 1, MAILS_ON_A_PAGE, by_date=by_date)
        mails, depths = [mail for mail, _ in here], {mail.id: depth for mail, depth in here}
    around = reader.around_thread(request.user, mailing_list, found, mails)
    shown = posts(mailing_list.list_id, mails, depths, around["votes"], **_look(request, mailing_list))
    writer = Writer(request, mailing_list, may_moderate=around["may_moderate"])
    context = {
        **frame(mailing_list), **around, "thread": found, "page": page, "by_date": by_date,
        "posts": writer.posts(shown), "outline": writer.outline(shown) if len(shown) > 1 else "",
        "may_sort": 1 < found.count <= LONGEST_TREE,
    }  # fmt: skip
    return render(request, "archive/thread.html", context)


def _look(request: HttpRequest, mailing_list: MailingList) -> dict[str, bool]:
    """How texts are shown to this reader."""
    return {
        "obscure": obscure_addresses.of(mailing_list) and not request.user.is_authenticated,
        "markdown": archive_rendering_mode.of(mailing_list) == "markdown",
    }


@require_safe
def message(request: HttpRequest, list_id: str, hash_: str) -> HttpResponseBase:
    """One mail, with its neighbours in the conversation."""
    mailing_list = list_for(request.user, list_id)
    mail = mail_of(mailing_list, hash_)
    facts = (*freshness.of_thread(mailing_list, mail.thread), *reader.of_thread(request.user, mail.thread))
    return freshness.answer(request, facts, lambda: _message(request, mail))


def _message(request: HttpRequest, mail: Mail) -> HttpResponse:
    earlier, later = neighbours(mail)
    around = reader.around_mail(request.user, mail)
    look = _look(request, mail.mailing_list)
    shown = posts(mail.mailing_list.list_id, [mail], {}, around["votes"], **look)
    writer = Writer(request, mail.mailing_list, may_moderate=around["may_moderate"])
    context = {
        **frame(mail.mailing_list), **around, "mail": mail, "thread": mail.thread, "earlier": earlier, "later": later,
        "post": writer.posts(shown),
        "parent": mail.parent, "parent_author": author(mail.parent) if mail.parent else None,
    }  # fmt: skip
    return render(request, "archive/message.html", context)


@require_safe
def by_message_id(request: HttpRequest, list_id: str, message_id: str) -> HttpResponse:
    """A mail by its Message-ID, as people have it from their mail program; leads to its page."""
    mailing_list = list_for(request.user, list_id)
    found = Mail.objects.filter(mailing_list=mailing_list, message_id=message_id.strip("<> ")).first()
    if found is None:
        raise Http404
    return redirect("archive:message", list_id, found.message_id_hash)
