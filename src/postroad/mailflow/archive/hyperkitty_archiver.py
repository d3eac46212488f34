"""HyperKitty's archiver API: a Mailman Core with its HyperKitty plugin archives here, as it did there.

Core asks for `urls` for each post, and posts to `archive`; whatever does not answer 200 it keeps in its own spool and
brings again, so a mail that cannot be archived now is not lost. The key stands in a header, never in an address.
"""

import hmac
import time
from collections.abc import Callable
from functools import wraps

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_hash, message_id_of
from postroad.mailflow.archive.actions import Incoming, archive

_Page = Callable[[HttpRequest], HttpResponse]


def for_core(page: _Page) -> _Page:
    """Answer only a Core that calls from a known address and knows the key."""

    @wraps(page)
    def guarded(request: HttpRequest) -> HttpResponse:
        settings = current().archive
        if "*" not in settings.hyperkitty_from and request.META.get("REMOTE_ADDR") not in settings.hyperkitty_from:
            return _wrong(403, "Set [archive] hyperkitty_from to the address Mailman Core calls from.")
        kind, _, key = request.headers.get("Authorization", "").partition(" ")
        is_right = hmac.compare_digest(key.encode(), settings.hyperkitty_key.encode())
        if not settings.hyperkitty_key or kind.lower() != "token" or not is_right:
            return _wrong(401, "Authorization: Token KEY must bring the key of [archive] hyperkitty_key.")
        return page(request)

    return guarded


def _wrong(status: int, why: str) -> JsonResponse:
    return JsonResponse({"error": why}, status=status)


def _url(mailing_list: MailingList | None, posting_address: str, message_id: str = "") -> str:
    """Where a list, or a mail of it, is or will be."""
    list_id = mailing_list.list_id if mailing_list else posting_address.replace("@", ".").lower()
    if message_id:
        return current().site.base_url + reverse("archive:message", args=(list_id, message_id_hash(message_id)))
    return current().site.base_url + reverse("archive:overview", args=(list_id,))


def _list_at(address: str) -> MailingList | None:
    name, _, host = address.lower().partition("@")
    return MailingList.objects.filter(list_name=name, mail_host=host).first()


@require_safe
@for_core
def urls(request: HttpRequest) -> HttpResponse:
    """Where a list's archive is, or will hold a mail; neither need be there."""
    address = request.GET.get("mlist", "")
    if "@" not in address:
        return _wrong(400, "mlist must be a list's posting address.")
    return JsonResponse({"url": _url(_list_at(address), address, request.GET.get("msgid", "").strip("<> "))})


@csrf_exempt
@require_POST
@for_core
@transaction.atomic
def take(request: HttpRequest) -> HttpResponse:
    """Archive one mail; where it is.

    A list must be here first, for only then is it known who may read it.
    """
    address, file = request.POST.get("mlist", ""), request.FILES.get("message")
    mailing_list = _list_at(address)
    if mailing_list is None:
        return _wrong(404, f"There is no list {address!r} here. Make it first, with its archive policy.")
    if file is None:
        return _wrong(400, "message must be a file with the mail.")
    raw = file.read()
    message_id = message_id_of(Headers.parse(raw))
    if not message_id:
        return _wrong(400, "The mail has no Message-ID.")
    mail = None
    if mailing_list.archive_policy != "never":
        mail = archive(mailing_list, Incoming(raw, message_id, time.time()))
    return JsonResponse({"url": _url(mailing_list, address, mail.message_id if mail else message_id)})
