"""Pages of joining, leaving and saying yes. GET changes nothing: mail scanners follow every link (RFC 8058 §3.1).

The pages behind a mail's links are exempt from the CSRF check: the secret in the address is the authority, there is
no session to abuse, and a one-click POST brings no cookie (RFC 8058 §3.2).
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from postroad.community.lists.models import MailingList
from postroad.community.lists.settings import display_name
from postroad.community.subscriptions import actions, queries
from postroad.community.subscriptions.consent import Origin
from postroad.community.subscriptions.forms import JoinForm, LeaveForm
from postroad.community.subscriptions.models import Member, Pending
from postroad.community.subscriptions.tokens import member_of_choice_token, member_of_unsubscribe_token
from postroad.foundation.errors import BadInput, NotFound, PostroadError, TooMany

_pages = require_http_methods(["GET", "HEAD", "POST"])


def _list(list_id: str) -> MailingList:
    return get_object_or_404(MailingList.objects.select_related("domain"), list_id=list_id)


def _origin(request: HttpRequest) -> Origin:
    return Origin("web", request.META.get("REMOTE_ADDR", ""))


def _show(
    request: HttpRequest, page: str, mailing_list: MailingList, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"mailing_list": mailing_list, "display_name": display_name.of(mailing_list)}
    return render(request, f"subscriptions/{page}.html", context, status=status)


# --- asking, for anybody


@never_cache
@csrf_protect
@_pages
def join(request: HttpRequest, list_id: str) -> HttpResponse:
    """Ask to join; the answer is the same for members, strangers and the banned."""
    mailing_list = _list(list_id)
    form = JoinForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _show(request, "join", mailing_list, 400 if form.is_bound else 200, form=form)
    wishes = dict(form.cleaned_data)
    try:
        actions.join(mailing_list, wishes.pop("email"), origin=_origin(request), **wishes)
    except TooMany as error:
        form.add_error(None, str(error))
        return _show(request, "join", mailing_list, 429, form=form)
    except PostroadError:
        pass  # Whether an address is a member, or banned, is nobody else's business (facts: security T7).
    return _show(request, "asked", mailing_list)


@never_cache
@csrf_protect
@_pages
def leave(request: HttpRequest, list_id: str) -> HttpResponse:
    """Ask to leave; the answer is the same for members and strangers, and only a mail's link ends anything."""
    mailing_list = _list(list_id)
    form = LeaveForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _show(request, "leave", mailing_list, 400 if form.is_bound else 200, form=form)
    try:
        actions.ask_to_leave(mailing_list, form.cleaned_data["email"], origin=_origin(request))
    except TooMany as error:
        form.add_error(None, str(error))
        return _show(request, "leave", mailing_list, 429, form=form)
    return _show(request, "asked", mailing_list)


# --- behind a mail's links


@never_cache
@csrf_exempt
@_pages
def confirm(request: HttpRequest, list_id: str, secret: str) -> HttpResponse:
    """Say yes to what was asked under a secret, or that it was somebody else."""
    mailing_list = _list(list_id)
    pending = queries.request_by_secret(secret, mailing_list)
    if pending is None or pending.token_owner != "subscriber":
        return _show(request, "gone", mailing_list, 404)
    if request.method != "POST":
        question, button = _question(pending)
        return _show(
            request, "confirm", mailing_list, question=question, button=button, email=pending.shown,
            changes=_changes(pending), may_refuse=pending.kind != Pending.Kind.UNDO,
        )  # fmt: skip
    try:
        if "never" in request.POST:
            actions.never_again(secret, origin=_origin(request))
            return _show(request, "done", mailing_list, told=_("We will not write to this address again."))
        outcome = actions.confirm(secret, mailing_list, origin=_origin(request))
    except NotFound:
        return _show(request, "gone", mailing_list, 404)
    except PostroadError as error:
        return _show(request, "done", mailing_list, 409, told=str(error))
    return _show(request, "done", mailing_list, told=_told(outcome))


def _question(pending: Pending) -> tuple[str, str]:
    if pending.kind == Pending.Kind.UNSUBSCRIPTION:
        return _("Do you want to leave this list?"), _("Leave")
    if pending.kind == Pending.Kind.OPTIONS:
        return _("Do you want to change what you get?"), _("Change it")
    if pending.kind == Pending.Kind.UNDO:
        return _("Do you want to be a member again, as before?"), _("Take it back")
    if pending.data.get("invitation"):
        return _("You are invited to this list."), _("Accept")
    return _("Do you want to join this list?"), _("Join")


def _changes(pending: Pending) -> list[tuple[str, str]]:
    """What a change of options is about."""
    if pending.kind != Pending.Kind.OPTIONS:
        return []
    return [(name.replace("_", " "), str(value).replace("_", " ")) for name, value in pending.data.items()]


def _told(outcome: actions.Outcome) -> str:
    if outcome.token_owner == "moderator":
        return _("Thank you. A moderator decides now, and you will hear.")
    if outcome.kind == Pending.Kind.UNSUBSCRIPTION:
        return _("You have left the list.")
    if outcome.kind == Pending.Kind.OPTIONS:
        return _("Your options are changed.")
    return _("You are a member now.")


@never_cache
@csrf_exempt
@_pages
def unsubscribe(request: HttpRequest, list_id: str, token: str) -> HttpResponse:
    """End a membership by one click (RFC 8058): at once, without sign-in, cookie, redirect or further question."""
    mailing_list = _list(list_id)
    pk = member_of_unsubscribe_token(mailing_list.pk, token)
    if pk is None:
        raise Http404("This link is not ours.")
    member = _member(mailing_list, pk)
    if member is None or request.method != "POST":
        return _show(request, "unsubscribe", mailing_list, is_member=member is not None)
    outcome = actions.end_by_link(member, _origin(request))
    return _show(request, "unsubscribed", mailing_list, secret=outcome.token)


def _member(mailing_list: MailingList, pk: int) -> Member | None:
    return Member.objects.filter(pk=pk, mailing_list=mailing_list).first()


@never_cache
@csrf_exempt
@_pages
def choose_thread(request: HttpRequest, list_id: str, thread: str, token: str) -> HttpResponse:
    """Mute or follow one thread, or neither; the link stands in the footer of each copy."""
    mailing_list = _list(list_id)
    pk = member_of_choice_token(mailing_list.pk, token)
    member = _member(mailing_list, pk) if pk is not None else None
    if member is None or len(thread) != 32 or not thread.isalnum():
        raise Http404("This link is not ours, or the membership has ended.")
    if request.method == "POST":
        try:
            actions.choose_thread(member, thread, request.POST.get("wish") or None)
        except BadInput as error:
            return _show(request, "done", mailing_list, 400, told=str(error))
    choice = queries.thread_choice(member, thread)
    return _show(request, "thread", mailing_list, choice=choice, is_changed=request.method == "POST")
