"""Pages of the archive. Each asks the gate first, makes a handful of queries, and works without script."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.content import plain_text
from postroad.mailflow.archive.models import Mail, Month, Thread
from postroad.mailflow.archive.queries import (
    LONGEST_TREE,
    in_order,
    list_for,
    mails_by_key,
    readable_lists,
    shown_lists,
)
from postroad.mailflow.archive.render import content_of, hidden_address
from postroad.mailflow.archive.search.analyser import tokens
from postroad.mailflow.archive.search.index import COUNTED
from postroad.mailflow.archive.search.index import search as search_index
from postroad.mailflow.archive.search.query import Query, parse

MAILS_ON_A_PAGE = 50
THREADS_ON_A_PAGE = 40
FOUND_ON_A_PAGE = 20
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _frame(mailing_list: MailingList) -> dict[str, object]:
    """What every page of a list shows."""
    settings = all_settings()
    return {
        "mailing_list": mailing_list,
        "display_name": settings["display_name"].of(mailing_list),
        "description": settings["description"].of(mailing_list),
        "is_private": mailing_list.archive_policy != "public",
    }


def _name(mail: Mail) -> str:
    """Whom the mail is by, without a whole address for harvesters."""
    return mail.sender_name or hidden_address(mail.sender_email) or "unknown"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Every list there is for this visitor, the liveliest first."""
    latest = Thread.objects.filter(mailing_list=OuterRef("pk")).order_by("-last_at")
    rows = shown_lists(request.user).annotate(
        latest=Subquery(latest.values("last_at")[:1]), latest_subject=Subquery(latest.values("subject")[:1])
    )
    settings = all_settings()
    lists = [
        {"row": row, "name": settings["display_name"].of(row), "about": settings["description"].of(row)} for row in rows
    ]
    lists.sort(key=lambda entry: entry["row"].latest.timestamp() if entry["row"].latest else 0, reverse=True)
    return render(request, "archive/home.html", {"lists": lists})


@require_safe
def overview(request: HttpRequest, list_id: str) -> HttpResponse:
    """A list: its latest conversations and its months."""
    mailing_list = list_for(request.user, list_id)
    threads = Thread.objects.filter(mailing_list=mailing_list).order_by("-last_at")[:15]
    months = Month.objects.filter(mailing_list=mailing_list).order_by("-year", "-month")
    context = {
        **_frame(mailing_list),
        "threads": threads,
        "years": _years(months),
        "info": all_settings()["info"].of(mailing_list),
    }
    return render(request, "archive/overview.html", context)


def _years(months: Iterable[Month]) -> list[dict[str, object]]:
    years: dict[int, list[dict[str, object]]] = {}
    for month in months:
        entry = {"month": month.month, "name": MONTHS[month.month - 1], "count": month.count, "year": month.year}
        years.setdefault(month.year, []).append(entry)
    return [{"year": year, "months": entries} for year, entries in years.items()]


@require_safe
def month(request: HttpRequest, list_id: str, year: int, month: int) -> HttpResponse:
    """The conversations of a month that had a mail in it."""
    mailing_list = list_for(request.user, list_id)
    if not 1 <= month <= 12:
        raise Http404
    in_month = Q(mails__date__gte=_first(year, month), mails__date__lt=_first(*_next(year, month)))
    rows = (
        Thread.objects.filter(mailing_list=mailing_list).filter(in_month)
        .annotate(here=Count("mails", filter=in_month)).order_by("-last_at")
    )  # fmt: skip
    page = Paginator(rows, THREADS_ON_A_PAGE).get_page(request.GET.get("page"))
    if not page.object_list:
        raise Http404
    context = {**_frame(mailing_list), "page": page, "year": year, "month": month, "month_name": MONTHS[month - 1]}
    return render(request, "archive/month.html", context)


def _first(year: int, month: int) -> str:
    try:
        return f"{date(year, month, 1).isoformat()}T00:00:00Z"
    except ValueError:
        raise Http404 from None


def _next(year: int, month: int) -> tuple[int, int]:
    return (year, month + 1) if month < 12 else (year + 1, 1)


@require_safe
def thread(request: HttpRequest, list_id: str, key: str) -> HttpResponse:
    """A whole conversation, or a page of it."""
    mailing_list = list_for(request.user, list_id)
    found = get_object_or_404(Thread, mailing_list=mailing_list, key=key)
    mails = Mail.objects.filter(thread=found).order_by("date", "pk")
    if found.count <= LONGEST_TREE:
        ordered = in_order(list(mails))
        page: Page[Any] = Paginator(ordered, MAILS_ON_A_PAGE).get_page(request.GET.get("page"))
        pairs: list[tuple[Mail, int]] = list(page)
    else:
        page = Paginator(mails, MAILS_ON_A_PAGE).get_page(request.GET.get("page"))
        pairs = [(mail, 0) for mail in page]
    posts = _posts(request, [mail for mail, _ in pairs], {mail.pk: depth for mail, depth in pairs})
    return render(
        request, "archive/thread.html", {**_frame(mailing_list), "thread": found, "posts": posts, "page": page}
    )


def _posts(request: HttpRequest, mails: list[Mail], depths: dict[int, int]) -> list[dict[str, object]]:
    raws = storage.load_many({mail.message for mail in mails})
    obscure = not request.user.is_authenticated
    return [
        {
            "mail": mail, "who": _name(mail), "depth": min(depths.get(mail.pk, 0), 4),
            "content": content_of(raws.get(mail.message, b""), obscure=obscure),
        }
        for mail in mails
    ]  # fmt: skip


def _mail(request: HttpRequest, list_id: str, hash_: str) -> Mail:
    mailing_list = list_for(request.user, list_id)
    rows = Mail.objects.select_related("thread", "parent")
    found = get_object_or_404(rows, mailing_list=mailing_list, message_id_hash=hash_.upper())
    found.mailing_list = mailing_list
    return found


@require_safe
def message(request: HttpRequest, list_id: str, hash_: str) -> HttpResponse:
    """One mail, with its neighbours in the conversation."""
    mail = _mail(request, list_id, hash_)
    around = Mail.objects.filter(thread=mail.thread)
    earlier = around.filter(Q(date__lt=mail.date) | Q(date=mail.date, pk__lt=mail.pk)).order_by("-date", "-pk").first()
    later = around.filter(Q(date__gt=mail.date) | Q(date=mail.date, pk__gt=mail.pk)).order_by("date", "pk").first()
    context = {
        **_frame(mail.mailing_list), "post": _posts(request, [mail], {})[0], "mail": mail,
        "earlier": earlier, "later": later,
    }  # fmt: skip
    return render(request, "archive/message.html", context)


# --- search


@require_safe
def search(request: HttpRequest, list_id: str = "") -> HttpResponse:
    """Search one list, or all this visitor may read."""
    mailing_list = list_for(request.user, list_id) if list_id else None
    text = request.GET.get("q", "")[:500]
    query = parse(text)
    number = max(1, int(n)) if (n := request.GET.get("page", "1")).isdigit() and len(n) < 5 else 1
    pks = [mailing_list.pk] if mailing_list else list(readable_lists(request.user).values_list("pk", flat=True))
    found = search_index(query, pks, (number - 1) * FOUND_ON_A_PAGE, FOUND_ON_A_PAGE)
    mails = mails_by_key(found.mails)
    raws = storage.load_many({mail.message for mail in mails})
    obscure = not request.user.is_authenticated
    hits = [
        {"mail": m, "who": _name(m), "snippet": _snippet(raws.get(m.message, b""), query, obscure=obscure)}
        for m in mails
    ]
    context = {
        **(_frame(mailing_list) if mailing_list else {}), "q": text, "hits": hits, "total": found.total,
        "more": found.total >= COUNTED, "number": number, "previous": number - 1, "asked": not query.is_empty,
        "next": number + 1 if number * FOUND_ON_A_PAGE < found.total else 0,
    }  # fmt: skip
    return render(request, "archive/search.html", context)


_WORD = re.compile(r"\w+")


def _snippet(raw: bytes, query: Query, *, obscure: bool) -> SafeString:
    """The text around the first word that was looked for, the words marked; all of it escaped."""
    text = " ".join(plain_text(raw)[:20_000].split())
    text = hidden_address(text) if obscure else text
    spans = [m.span() for m in _WORD.finditer(text) if query.words & set(tokens(m[0]))][:12]
    start = max(0, spans[0][0] - 90) if spans else 0
    end, position, pieces = start + 260, start, []
    for begin, stop in spans:
        if begin >= position and stop <= end:
            pieces += [escape(text[position:begin]), "<mark>", escape(text[begin:stop]), "</mark>"]
            position = stop
    pieces.append(escape(text[position:end]))
    return mark_safe(("…" if start else "") + "".join(pieces) + ("…" if end < len(text) else ""))
