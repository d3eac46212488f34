"""Feeds (Atom, RFC 4287) of a list, a conversation and a search."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from postroad.community.lists.register import all_settings
from postroad.foundation.configuration import current
from postroad.foundation.rows import select
from postroad.mailflow.archive import freshness
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.plain import hidden_address
from postroad.mailflow.archive.posts import author
from postroad.mailflow.archive.queries import list_for, thread_of

ENTRIES = 30
_NEWEST = f"ORDER BY date DESC, id DESC LIMIT {ENTRIES}"


@require_safe
def of_list(request: HttpRequest, list_id: str) -> HttpResponseBase:
    """The newest mails of a list."""
    mailing_list = list_for(request.user, list_id)

    def make() -> HttpResponse:
        mails = select(Mail, f"mailing_list_id = %s {_NEWEST}", mailing_list.pk)
        name = str(all_settings()["display_name"].of(mailing_list))
        return atom(
            reverse("archive:overview", args=(list_id,)),
            name,
            mails,
            mailing_list.created_at,
            {mailing_list.pk: list_id},
        )

    return freshness.answer(request, freshness.of_list(mailing_list), make)


@require_safe
def of_thread(request: HttpRequest, list_id: str, key: str) -> HttpResponseBase:
    """The newest mails of a conversation."""
    mailing_list = list_for(request.user, list_id)
    thread = thread_of(mailing_list, key.upper()[:32])

    def make() -> HttpResponse:
        mails = select(Mail, f"thread_id = %s {_NEWEST}", thread.pk)
        path = reverse("archive:thread", args=(list_id, thread.key))
        return atom(path, thread.subject, mails, thread.last_at, {mailing_list.pk: list_id})

    return freshness.answer(request, freshness.of_thread(mailing_list, thread), make)


def atom(path: str, title: str, mails: Iterable[Mail], since: datetime, lists: Mapping[int, str]) -> HttpResponse:
    """A feed of these mails, the newest first; `since` is its date while it is empty.

    `lists` has the list-ids of the lists they are from, by their keys.
    """
    site = current().site.base_url
    entries = []
    newest = since
    for number, mail in enumerate(mails):
        newest = mail.date if number == 0 else newest
        link = site + reverse("archive:message", args=(lists[mail.mailing_list_id], mail.message_id_hash))
        entries.append(
            f"<entry><id>{escape(link)}</id><title>{escape(_xml(mail.subject) or '(no subject)')}</title>"
            f"<link href={quoteattr(link)}/><updated>{mail.date.isoformat()}</updated>"
            f"<author><name>{escape(_xml(author(mail).name))}</name></author>"
            f"<summary>{escape(_xml(hidden_address(mail.preview)))}</summary></entry>"
        )
    feed = site + path
    return HttpResponse(
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(feed)}</id><title>{escape(_xml(title))}</title><updated>{newest.isoformat()}</updated>"
        f"<link href={quoteattr(feed)}/>{''.join(entries)}</feed>\n",
        content_type="application/atom+xml; charset=utf-8",
    )


def _xml(text: str) -> str:
    """Text without the characters XML cannot hold."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
