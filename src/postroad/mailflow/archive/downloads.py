"""What leaves the archive as a file: a raw mail, an attachment, a month as mbox, a feed."""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from postroad.community.lists.register import all_settings
from postroad.foundation.configuration import current
from postroad.foundation.message.encoded_words import encode_parameter
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.content import parts_of
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.queries import list_for
from postroad.mailflow.archive.render import hidden_address

_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
_SANDBOX = "default-src 'none'; sandbox"


def _find(request: HttpRequest, list_id: str, hash_: str) -> Mail:
    mailing_list = list_for(request.user, list_id)
    return get_object_or_404(Mail, mailing_list=mailing_list, message_id_hash=hash_.upper())


@require_safe
def raw(request: HttpRequest, list_id: str, hash_: str) -> HttpResponse:
    """The mail as it was received, as text; only for those who are signed in, since it holds every address."""
    mail = _find(request, list_id, hash_)
    if not request.user.is_authenticated:
        raise Http404
    return HttpResponse(
        storage.load(mail.message), content_type="text/plain; charset=utf-8",
        headers={"Content-Security-Policy": _SANDBOX, "X-Content-Type-Options": "nosniff"},
    )  # fmt: skip


@require_safe
def attachment(request: HttpRequest, list_id: str, hash_: str, number: int) -> HttpResponse:
    """One part of a mail, to be saved and never shown by the browser as part of this site."""
    mail = _find(request, list_id, hash_)
    data = storage.load(mail.message)
    parts = parts_of(data)
    if number >= len(parts):
        raise Http404
    part = parts[number]
    name = re.sub(r"[^\w. -]+", "_", part.filename)[-100:].lstrip(".") or f"part-{number}"
    return HttpResponse(
        part.decoded(data), content_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; {encode_parameter('filename', name)}",
            "Content-Security-Policy": _SANDBOX, "X-Content-Type-Options": "nosniff",
        },
    )  # fmt: skip


@require_safe
def mbox(request: HttpRequest, list_id: str, year: int, month: int) -> StreamingHttpResponse:
    """A month as gzipped mbox (mboxrd), streamed; for those who are signed in."""
    mailing_list = list_for(request.user, list_id)
    if not request.user.is_authenticated or not 1 <= month <= 12:
        raise Http404
    rows = Mail.objects.filter(mailing_list=mailing_list, date__year=year, date__month=month).order_by("date", "pk")
    if not rows.exists():
        raise Http404
    name = f"{mailing_list.list_id}-{year:04d}-{month:02d}.mbox.gz"
    return StreamingHttpResponse(
        _packed(rows.values_list("message", "sender_email", "date").iterator(chunk_size=100)),
        content_type="application/gzip", headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


def _packed(rows: Iterator[tuple[str, str, datetime]]) -> Iterator[bytes]:
    for key, sender, date in rows:
        data = storage.load(key).replace(b"\r\n", b"\n")
        line = f"From {re.sub(r'[^!-~]', '', sender) or 'unknown'} {date.astimezone(UTC):%a %b %d %H:%M:%S %Y}\n"
        yield gzip.compress(line.encode() + _FROM_LINE.sub(rb">\1", data).rstrip(b"\n") + b"\n\n", 6)


@require_safe
def feed(request: HttpRequest, list_id: str) -> HttpResponse:
    """The newest mails as Atom (RFC 4287)."""
    mailing_list = list_for(request.user, list_id)
    base = f"{current().site.base_url}/lists/{mailing_list.list_id}"
    name = all_settings()["display_name"].of(mailing_list)
    mails = list(Mail.objects.filter(mailing_list=mailing_list).order_by("-date")[:30])
    updated = mails[0].date if mails else mailing_list.created_at
    entries = "".join(
        f"<entry><id>{escape(f'{base}/message/{m.message_id_hash}/')}</id>"
        f"<title>{escape(_xml(m.subject) or '(no subject)')}</title>"
        f"<link href={quoteattr(f'{base}/message/{m.message_id_hash}/')}/><updated>{m.date.isoformat()}</updated>"
        f"<author><name>{escape(_xml(m.sender_name or hidden_address(m.sender_email)) or 'unknown')}</name></author>"
        f"<summary>{escape(_xml(hidden_address(m.preview)))}</summary></entry>"
        for m in mails
    )
    return HttpResponse(
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(base)}/</id><title>{escape(_xml(name))}</title><updated>{updated.isoformat()}</updated>"
        f'<link href={quoteattr(base + "/")}/><link rel="self" href={quoteattr(base + "/feed.atom")}/>{entries}</feed>',
        content_type="application/atom+xml; charset=utf-8",
    )


def _xml(text: str) -> str:
    """Text without the characters XML cannot hold."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
