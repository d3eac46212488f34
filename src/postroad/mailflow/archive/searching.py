"""The pages of the search: results, its language explained, its feed, and how a browser may ask it."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from xml.sax.saxutils import escape as xml

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive import fragments
from postroad.mailflow.archive.content import plain_text
from postroad.mailflow.archive.feeds import ENTRIES, atom
from postroad.mailflow.archive.fragments import Hit
from postroad.mailflow.archive.plain import hidden_address
from postroad.mailflow.archive.queries import list_for, mails_by_key, readable_names
from postroad.mailflow.archive.search.analyser import those_that_give
from postroad.mailflow.archive.search.index import COUNTED, Found
from postroad.mailflow.archive.search.index import search as search_index
from postroad.mailflow.archive.search.query import Query, parse
from postroad.mailflow.archive.web import frame, page_number

FOUND_ON_A_PAGE = 20
LONGEST_QUERY = 500

_WORD = re.compile(r"[^\W_]+")
_BEFORE, _SHOWN = 90, 260
"""Characters of a snippet: before its first hit, and in all."""
_MOST_MARKED = 12


@require_safe
def search(request: HttpRequest, list_id: str = "") -> HttpResponse:
    """Search one list, or all this visitor may read."""
    mailing_list = list_for(request.user, list_id) if list_id else None
    text = request.GET.get("q", "").replace("\0", "")[:LONGEST_QUERY]
    query, sort, number = parse(text), request.GET.get("sort", "date"), page_number(request)
    by_relevance = sort == "relevance"
    start = (number - 1) * FOUND_ON_A_PAGE
    lists = _lists(request, query, mailing_list)
    found = search_index(query, list(lists), start, FOUND_ON_A_PAGE, by_relevance=by_relevance)
    hits = _hits(found, query, lists, obscure=not request.user.is_authenticated)
    context = {
        **(frame(mailing_list) if mailing_list else {}), "q": text, "sort": sort if by_relevance else "date",
        "hits": fragments.found(hits, with_lists=mailing_list is None), "total": found.total,
        "more": found.total >= COUNTED,
        "asked": not query.is_empty, "number": number, "previous": number - 1, "by_relevance": by_relevance,
        "next": number + 1 if start + FOUND_ON_A_PAGE < found.total else 0, "misread": query.misread,
    }  # fmt: skip
    return render(request, "archive/search.html", context)


def _lists(request: HttpRequest, query: Query, mailing_list: MailingList | None) -> dict[int, str]:
    """Where to search, list-ids by their keys: lists this visitor may read, and no other is shown or counted."""
    lists = [(mailing_list.pk, mailing_list.list_id)] if mailing_list else readable_names(request.user)
    return {pk: list_id for pk, list_id in lists if query.is_of(list_id)}


def _hits(found: Found, query: Query, lists: Mapping[int, str], *, obscure: bool) -> list[Hit]:
    mails = mails_by_key(found.mails)
    raws = storage.load_many({mail.message for mail in mails})
    return [
        Hit(mail, lists[mail.mailing_list_id], snippet(raws.get(mail.message, b""), query, obscure=obscure))
        for mail in mails
    ]


def snippet(raw: bytes, query: Query, *, obscure: bool) -> SafeString:
    """The text around the first word that was looked for, the words marked; all of it escaped.

    The author's own words come first; what is quoted is shown where nothing else was found.
    """
    lines = plain_text(raw)[:20_000].split("\n")
    own = [line for line in lines if not line.startswith(">")]
    for chosen in (own, lines):
        text = " ".join(" ".join(chosen).split())
        text = hidden_address(text) if obscure else text
        spans = _spans(text, query)
        if spans:
            break
    start = max(0, spans[0][0] - _BEFORE) if spans else 0
    return mark_safe(_marked(text, spans, start, start + _SHOWN))


def _spans(text: str, query: Query) -> list[tuple[int, int]]:
    """Where the first words stand that were looked for."""
    wanted = query.words
    if not wanted:
        return []
    words = _words_like("".join(sorted({word[0] for word in wanted}))) if text.isascii() else _WORD
    found = those_that_give(wanted, set(words.findall(text)))
    return sorted(span for word in found for span in _places(text, word))[:_MOST_MARKED]


@functools.lru_cache(maxsize=100)
def _words_like(initials: str) -> re.Pattern[str]:
    """Words of an ASCII text that begin with one of these: a stem begins as its word does."""
    return re.compile(f"[{re.escape(initials)}](?<![a-z0-9].)[a-z0-9]*+", re.ASCII | re.IGNORECASE)


def _places(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Where this stands as a word of its own, the first times; most of a text is never looked at by an expression."""
    end, count = 0, 0
    while count < _MOST_MARKED and (begin := text.find(word, end)) >= 0:
        end = begin + len(word)
        if not (text[begin - 1 : begin].isalnum() or text[end : end + 1].isalnum()):
            count += 1
            yield begin, end


def _marked(text: str, spans: Sequence[tuple[int, int]], start: int, end: int) -> str:
    position, pieces = start, ["…" if start else ""]
    for begin, stop in spans:
        if begin >= position and stop <= end:
            pieces += [escape(text[position:begin]), "<mark>", escape(text[begin:stop]), "</mark>"]
            position = stop
    return "".join([*pieces, escape(text[position:end]), "…" if end < len(text) else ""])


@require_safe
def feed(request: HttpRequest, list_id: str = "") -> HttpResponse:
    """The newest mails that a search finds, as a feed."""
    mailing_list = list_for(request.user, list_id) if list_id else None
    text = request.GET.get("q", "").replace("\0", "")[:LONGEST_QUERY]
    query = parse(text)
    lists = _lists(request, query, mailing_list)
    mails = mails_by_key(search_index(query, list(lists), 0, ENTRIES).mails)
    where = reverse("archive:list_search", args=(list_id,)) if list_id else reverse("archive:search")
    since = datetime(2000, 1, 1, tzinfo=UTC)
    return atom(f"{where}?{urlencode({'q': text})}", f"{text} · {current().site.name}", mails, since, lists)


@require_safe
def help_page(request: HttpRequest) -> HttpResponseBase:
    """What one can type into the search field."""
    return render(request, "archive/search_help.html")


@require_safe
def description(request: HttpRequest) -> HttpResponse:
    """How a browser offers this search in its address bar (OpenSearch 1.1)."""
    site = current().site
    address = f"{site.base_url}{reverse('archive:search')}?q={{searchTerms}}"
    return HttpResponse(
        '<?xml version="1.0" encoding="utf-8"?>\n<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">'
        f"<ShortName>{xml(site.name[:16])}</ShortName><Description>{xml(site.name)}: mailing lists</Description>"
        f'<InputEncoding>UTF-8</InputEncoding><Url type="text/html" template="{xml(address)}"/>'
        "</OpenSearchDescription>\n",
        content_type="application/opensearchdescription+xml",
    )
