"""What leaves the archive as a file: a raw mail, an attachment, a picture, a month or a conversation as mbox."""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from postroad.foundation.message.encoded_words import encode_parameter
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive import freshness
from postroad.mailflow.archive.content import parts_of
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.queries import list_for, mail_of, thread_of
from postroad.mailflow.archive.render import picture_type, safe_filename
from postroad.mailflow.archive.web import behind, first_of

_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
_ALONE = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
"""Whatever a browser makes of these bytes, they run nothing and belong to no site."""


@require_safe
def raw(request: HttpRequest, list_id: str, hash_: str) -> HttpResponseBase:
    """The mail as it was received, as text; only for those who are signed in, since it holds every address."""
    mail = mail_of(list_for(request.user, list_id), hash_)
    if not request.user.is_authenticated:
        raise Http404

    def make() -> HttpResponse:
        return HttpResponse(storage.load(mail.message), content_type="text/plain; charset=utf-8", headers=_ALONE)

    return freshness.answer(request, (mail.message,), make)


@require_safe
def attachment(request: HttpRequest, list_id: str, hash_: str, number: int) -> HttpResponseBase:
    """One part of a mail, to be saved and never shown by the browser as part of this site."""
    mail = mail_of(list_for(request.user, list_id), hash_)

    def make() -> HttpResponse:
        name, data = _part(mail, number)
        disposition = f"attachment; {encode_parameter('filename', safe_filename(name, number))}"
        return HttpResponse(
            data, content_type="application/octet-stream", headers={"Content-Disposition": disposition, **_ALONE}
        )

    return freshness.answer(request, (mail.message, number), make)


@require_safe
def picture(request: HttpRequest, list_id: str, hash_: str, number: int) -> HttpResponseBase:
    """A picture of a mail for its page; what does not begin as one of four kinds of picture is not to be had here."""
    mail = mail_of(list_for(request.user, list_id), hash_)

    def make() -> HttpResponse:
        data = _part(mail, number)[1]
        kind = picture_type(data)
        if kind is None:
            raise Http404
        return HttpResponse(data, content_type=kind, headers={"Content-Disposition": "inline", **_ALONE})

    return freshness.answer(request, (mail.message, number), make)


def _part(mail: Mail, number: int) -> tuple[str, bytes]:
    """Name and content of a part."""
    data = storage.load(mail.message)
    parts = parts_of(data)
    if number >= len(parts):
        raise Http404
    return parts[number].filename, parts[number].decoded(data)


@require_safe
def mbox(request: HttpRequest, list_id: str, year: int, month: int) -> StreamingHttpResponse:
    """A month as gzipped mbox (mboxrd), streamed; for those who are signed in."""
    mailing_list = list_for(request.user, list_id)
    begin = first_of(year, month)
    rows = Mail.objects.filter(mailing_list=mailing_list, date__gte=begin, date__lt=behind(begin))
    return _mbox(request, rows, f"{mailing_list.list_id}-{year:04d}-{month:02d}")


@require_safe
def thread_mbox(request: HttpRequest, list_id: str, key: str) -> StreamingHttpResponse:
    """A conversation as gzipped mbox, as `git am` takes a series of patches; for those who are signed in."""
    mailing_list = list_for(request.user, list_id)
    thread = thread_of(mailing_list, key.upper()[:32])
    return _mbox(request, Mail.objects.filter(thread=thread), f"{mailing_list.list_id}-{thread.key}")


def _mbox(request: HttpRequest, rows: "QuerySet[Mail]", name: str) -> StreamingHttpResponse:
    if not request.user.is_authenticated or not rows.exists():
        raise Http404
    ordered = rows.order_by("date", "pk").values_list("message", "sender_email", "date")
    return StreamingHttpResponse(
        _packed(ordered.iterator(chunk_size=100)), content_type="application/gzip",
        headers={"Content-Disposition": f'attachment; filename="{name}.mbox.gz"'},
    )  # fmt: skip


def _packed(rows: Iterator[tuple[str, str, datetime]]) -> Iterator[bytes]:
    for key, sender, date in rows:
        data = storage.load(key).replace(b"\r\n", b"\n")
        line = f"From {re.sub(r'[^!-~]', '', sender) or 'unknown'} {date.astimezone(UTC):%a %b %d %H:%M:%S %Y}\n"
        yield gzip.compress(line.encode() + _FROM_LINE.sub(rb">\1", data).rstrip(b"\n") + b"\n\n", 6)
