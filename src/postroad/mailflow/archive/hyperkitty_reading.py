"""HyperKitty's public API to read the archive: the same addresses, keys and forms, behind the gate of every page.

Seen in practice: without `limit` HyperKitty answers with everything; here the newest thousand.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.foundation.configuration import current
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.content import plain_text
from postroad.mailflow.archive.models import Mail, Tag, Thread
from postroad.mailflow.archive.queries import mail_of, page_of, readable_lists, thread_of
from postroad.mailflow.archive.render import content_of

MOST = 1000
"""Entries of an answer."""
_LIKED, _LIKED_A_LOT = 1, 10

_Shape = dict[str, Any]


def _at(name: str, *arguments: str) -> str:
    return current().site.base_url + reverse(f"archive:hk_{name}", args=arguments)


def _list(request: HttpRequest, address: str) -> MailingList:
    """The list of this posting address or list-id, if the visitor may read it."""
    name, at, host = address.lower().partition("@")
    rows = readable_lists(request.user)
    found = (rows.filter(list_name=name, mail_host=host) if at else rows.filter(list_id=address.lower())).first()
    if found is None:
        raise Http404
    return found


def _several(
    request: HttpRequest, rows: "QuerySet[Any]", shape: Callable[[Sequence[Any]], list[_Shape]]
) -> HttpResponse:
    """A bare array, or with `limit` a page of it that says how many there are."""
    limit, offset = _number(request, "limit"), _number(request, "offset") or 0
    if limit is None:
        return JsonResponse(shape(list(rows[:MOST])), safe=False)
    limit = min(limit, MOST) or MOST
    count = rows.count()
    where = current().site.base_url + request.path
    behind, before = offset + limit, max(0, offset - limit)
    return JsonResponse({
        "count": count,
        "next": f"{where}?limit={limit}&offset={behind}" if behind < count else None,
        "previous": f"{where}?limit={limit}" + (f"&offset={before}" if before else "") if offset else None,
        "results": shape(list(rows[offset:behind])),
    })  # fmt: skip


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None


def _hidden(address: str) -> str:
    return address.replace("@", " (a) ")


# --- shapes


def _list_shape(row: MailingList) -> _Shape:
    settings, address = all_settings(), row.fqdn_listname
    return {
        "url": _at("list", address), "name": address, "display_name": settings["display_name"].of(row),
        "description": settings["description"].of(row), "subject_prefix": settings["subject_prefix"].of(row),
        "archive_policy": row.archive_policy, "created_at": row.created_at.isoformat(),
        "threads": _at("threads", address), "emails": _at("emails", address),
    }  # fmt: skip


def _thread_shapes(mailing_list: MailingList) -> Callable[[Sequence[Thread]], list[_Shape]]:
    address = mailing_list.fqdn_listname

    def shapes(threads: Sequence[Thread]) -> list[_Shape]:
        votes = dict(
            Mail.objects.filter(thread__in=[t.pk for t in threads]).values_list("thread")
            .annotate(total=Sum("likes") - Sum("dislikes"))
        )  # fmt: skip
        return [
            {
                "url": _at("thread", address, t.key), "mailinglist": _at("list", address), "thread_id": t.key,
                "subject": t.subject, "date_active": t.last_at.isoformat(),
                "starting_email": _at("email", address, t.key), "emails": _at("thread_emails", address, t.key),
                "votes_total": votes.get(t.pk, 0), "replies_count": t.count - 1,
                "next_thread": None, "prev_thread": None,
            }
            for t in threads
        ]  # fmt: skip

    return shapes


def _mail_shapes(mails: Sequence[Mail]) -> list[_Shape]:
    """Mails with their thread, parent and list loaded."""
    children: dict[int, list[str]] = {}
    replies = Mail.objects.filter(parent__in=[mail.pk for mail in mails])
    for parent, hash_ in replies.values_list("parent_id", "message_id_hash"):
        children.setdefault(parent or 0, []).append(hash_)
    return [_mail_shape(mail, children.get(mail.pk, ())) for mail in mails]


def _mail_shape(mail: Mail, children: Iterable[str]) -> _Shape:
    address = mail.mailing_list.fqdn_listname
    sender = {"address": _hidden(mail.sender_email), "mailman_id": None, "emails": None}
    return {
        "url": _at("email", address, mail.message_id_hash), "mailinglist": _at("list", address),
        "message_id": mail.message_id, "message_id_hash": mail.message_id_hash,
        "thread": _at("thread", address, mail.thread.key), "sender": sender, "sender_name": mail.sender_name,
        "subject": mail.subject, "date": mail.date.isoformat(),
        "parent": _at("email", address, mail.parent.message_id_hash) if mail.parent else None,
        "children": [_at("email", address, hash_) for hash_ in children],
    }  # fmt: skip


def _votes(likes: int, dislikes: int) -> _Shape:
    total = likes - dislikes
    status = "likealot" if total >= _LIKED_A_LOT else "like" if total >= _LIKED else "neutral"
    return {"likes": likes, "dislikes": dislikes, "status": status}


# --- resources


@require_safe
def lists(request: HttpRequest) -> HttpResponse:
    """The public lists."""
    rows = readable_lists(request.user).filter(archive_policy="public", advertised=True).order_by("list_id")
    return _several(request, rows, lambda found: [_list_shape(row) for row in found])


@require_safe
def one_list(request: HttpRequest, name: str) -> HttpResponse:
    """A list."""
    return JsonResponse(_list_shape(_list(request, name)))


@require_safe
def threads(request: HttpRequest, name: str) -> HttpResponse:
    """A list's conversations, the liveliest first."""
    mailing_list = _list(request, name)
    rows = Thread.objects.filter(mailing_list=mailing_list).order_by("-last_at", "-pk")
    return _several(request, rows, _thread_shapes(mailing_list))


@require_safe
def one_thread(request: HttpRequest, name: str, key: str) -> HttpResponse:
    """A conversation, its votes, and who took part."""
    mailing_list = _list(request, name)
    thread = thread_of(mailing_list, key.upper()[:32])
    mails = Mail.objects.filter(thread=thread)
    sums = mails.aggregate(likes=Sum("likes"), dislikes=Sum("dislikes"))
    people = mails.values_list("sender_name", "sender_email").annotate(n=Count("pk")).order_by("sender_email")[:MOST]
    shape = _thread_shapes(mailing_list)([thread])[0]
    participants = [{"name": name, "email": _hidden(email)} for name, email, _ in people]
    votes = _votes(sums["likes"] or 0, sums["dislikes"] or 0)
    return JsonResponse(shape | {"votes": votes, "participants": participants, "participants_count": len(participants)})


_MAILS = Mail.objects.select_related("thread", "parent", "mailing_list")


@require_safe
def emails(request: HttpRequest, name: str) -> HttpResponse:
    """A list's mails, those archived last first."""
    rows = _MAILS.filter(mailing_list=_list(request, name)).order_by("-archived_at", "-pk")
    return _several(request, rows, _mail_shapes)


@require_safe
def thread_emails(request: HttpRequest, name: str, key: str) -> HttpResponse:
    """The mails of a conversation in its order."""
    thread = thread_of(_list(request, name), key.upper()[:32])
    keys = [mail.pk for mail, _ in page_of(thread, _number(request, "offset") or 0, _number(request, "limit") or MOST)]
    found = _MAILS.in_bulk(keys)
    return JsonResponse(_mail_shapes([found[key] for key in keys if key in found]), safe=False)


@require_safe
def one_email(request: HttpRequest, name: str, hash_: str) -> HttpResponse:
    """A mail with its text and attachments."""
    mailing_list = _list(request, name)
    mail = mail_of(mailing_list, hash_)
    raw = storage.load(mail.message)
    url = _at("email", mailing_list.fqdn_listname, mail.message_id_hash)
    site, page = current().site.base_url, ("archive:attachment", mailing_list.list_id, mail.message_id_hash)
    attachments = [
        {
            "email": url, "counter": file.number, "name": file.name, "content_type": file.content_type,
            "encoding": None, "size": file.size, "download": site + reverse(page[0], args=(*page[1:], file.number)),
        }
        for file in content_of(raw, address="", obscure=True, markdown=False).attachments
    ]  # fmt: skip
    extra = {"votes": _votes(mail.likes, mail.dislikes), "content": plain_text(raw), "attachments": attachments}
    return JsonResponse(_mail_shapes([mail])[0] | extra)


@require_safe
def sender_emails(request: HttpRequest, sender: str) -> HttpResponse:
    """Somebody's mails on public lists, by their address."""
    rows = _MAILS.filter(sender_email__iexact=sender, mailing_list__archive_policy="public")
    return _several(request, rows.order_by("-archived_at", "-pk"), _mail_shapes)


@require_safe
def tags(request: HttpRequest) -> HttpResponse:
    """Every tag of conversations the visitor may read, without saying who gave it."""
    rows = Tag.objects.filter(thread__mailing_list__in=readable_lists(request.user)).select_related(
        "thread__mailing_list"
    )
    found: dict[str, list[str]] = {}
    for tag in rows.order_by("name", "thread_id")[:MOST]:
        found.setdefault(tag.name, []).append(_at("thread", tag.thread.mailing_list.fqdn_listname, tag.thread.key))
    return JsonResponse([{"name": name, "threads": urls, "users": []} for name, urls in found.items()], safe=False)
