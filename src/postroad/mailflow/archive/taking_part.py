"""What readers and moderators do on the archive's pages: each a POST that calls one verb and leads back."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from postroad.community.lists.models import MailingList
from postroad.community.people.models import User
from postroad.community.subscriptions.rights import may_moderate
from postroad.foundation.errors import PostroadError
from postroad.mailflow.archive import reader, tending
from postroad.mailflow.archive.models import Thread
from postroad.mailflow.archive.queries import list_for, mail_of, readable_lists, thread_of
from postroad.mailflow.archive.web import frame

_asks_and_does = require_http_methods(["GET", "HEAD", "POST"])


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _thread(request: HttpRequest, list_id: str, key: str) -> Thread:
    return thread_of(list_for(request.user, list_id), key.upper()[:32])


def _tended(request: HttpRequest, list_id: str) -> MailingList:
    """The list, for its moderators.

    Raises:
        PermissionDenied: somebody who may read it, and no more, asks.
    """
    mailing_list = list_for(request.user, list_id)
    if not may_moderate(request.user, mailing_list.pk):
        raise PermissionDenied
    return mailing_list


def _told(request: HttpRequest, verb: Callable[[], object]) -> None:
    """Do it; what is wrong with the wish is shown on the next page."""
    try:
        verb()
    except PostroadError as error:
        messages.error(request, str(error))


# --- readers


@require_POST
@login_required
def vote(request: HttpRequest, list_id: str, hash_: str) -> HttpResponse:
    """Like a mail, dislike it, or neither."""
    mail = mail_of(list_for(request.user, list_id), hash_)
    _told(request, lambda: reader.vote(_user(request), mail, request.POST.get("vote", "")))
    return redirect(f"{reverse('archive:thread', args=(list_id, mail.thread.key))}#m{mail.message_id_hash}")


@require_POST
@login_required
def tags(request: HttpRequest, list_id: str, key: str) -> HttpResponse:
    """Give a conversation tags, or take one's own away."""
    thread = _thread(request, list_id, key)
    if "remove" in request.POST:
        reader.remove_tag(_user(request), thread, request.POST["remove"])
    else:
        _told(request, lambda: reader.add_tags(_user(request), thread, request.POST.get("tag", "")))
    return redirect("archive:thread", list_id, thread.key)


@require_POST
@login_required
def favorite(request: HttpRequest, list_id: str, key: str) -> HttpResponse:
    """Mark a conversation, or no longer."""
    thread = _thread(request, list_id, key)
    reader.mark_favorite(_user(request), thread, wanted=request.POST.get("wanted") == "1")
    return redirect("archive:thread", list_id, thread.key)


@require_POST
@login_required
def mark_read(request: HttpRequest, list_id: str, key: str) -> HttpResponse:
    """A conversation has been read as far as it goes."""
    thread = _thread(request, list_id, key)
    reader.mark_read(_user(request), [thread])
    return redirect("archive:thread", list_id, thread.key)


@require_POST
@login_required
def mark_list_read(request: HttpRequest, list_id: str) -> HttpResponse:
    """A list has been read as far as it goes."""
    reader.mark_list_read(_user(request), list_for(request.user, list_id))
    return redirect("archive:overview", list_id)


@require_safe
@login_required
def favorites(request: HttpRequest) -> HttpResponse:
    """The conversations one has marked."""
    user = _user(request)
    found = reader.favorites(user, readable_lists(user).values_list("pk", flat=True))
    return render(request, "archive/favorites.html", {"threads": found})


# --- moderators


@require_POST
@login_required
def category(request: HttpRequest, list_id: str, key: str) -> HttpResponse:
    """Call a conversation something."""
    _tended(request, list_id)
    thread = _thread(request, list_id, key)
    _told(request, lambda: reader.set_category(thread, request.POST.get("category", "")))
    return redirect("archive:thread", list_id, thread.key)


@_asks_and_does
@login_required
def delete_message(request: HttpRequest, list_id: str, hash_: str) -> HttpResponse:
    """Take one mail out of the archive, after a question."""
    mailing_list = _tended(request, list_id)
    mail = mail_of(mailing_list, hash_)
    if request.method != "POST":
        return render(request, "archive/delete.html", {**frame(mailing_list), "mail": mail, "thread": mail.thread})
    left = tending.delete_mail(mail)
    messages.success(request, _("The mail is out of the archive."))
    return redirect("archive:thread", list_id, left.key) if left else redirect("archive:overview", list_id)


@_asks_and_does
@login_required
def delete_thread(request: HttpRequest, list_id: str, key: str) -> HttpResponse:
    """Take a conversation out of the archive, after a question."""
    mailing_list = _tended(request, list_id)
    thread = _thread(request, list_id, key)
    if request.method != "POST":
        return render(request, "archive/delete.html", {**frame(mailing_list), "mail": None, "thread": thread})
    tending.delete_thread(thread)
    messages.success(request, _("The conversation is out of the archive."))
    return redirect("archive:overview", list_id)


@_asks_and_does
@login_required
def reattach(request: HttpRequest, list_id: str, key: str) -> HttpResponse:
    """Make a conversation part of another one."""
    mailing_list = _tended(request, list_id)
    thread = _thread(request, list_id, key)
    if request.method == "POST":
        text = request.POST.get("parent", "").strip().rstrip("/").rpartition("/")[2].rpartition("#m")[2]
        try:
            target = tending.reattach(thread, text)
        except PostroadError as error:
            messages.error(request, str(error))
        else:
            return redirect("archive:thread", list_id, target.key)
    near = Thread.objects.filter(mailing_list=mailing_list, last_at__lte=thread.first_at).exclude(pk=thread.pk)
    context = {**frame(mailing_list), "thread": thread, "near": near.order_by("-last_at")[:10]}
    return render(request, "archive/reattach.html", context, status=400 if request.method == "POST" else 200)
