"""Held posts: see them, decide about one or about many."""

import re
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from postroad.community.lists.models import MailingList
from postroad.community.people.models import User
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.queries import member_of
from postroad.foundation.errors import NotFound, PostroadError
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue.envelope import decode
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.content import is_text, parts_of, plain_text
from postroad.mailflow.moderation import actions as moderation
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.queries import held_messages
from postroad.mailflow.moderation.reasons import told
from postroad.project.moderators.access import moderated, page
from postroad.project.moderators.forms import BulkForm, DecisionForm

ON_A_PAGE = 50
LONGEST_SHOWN = 20_000
"""Characters of a held post's text; the raw mail has all of them."""

_asks_and_does = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is no text, as it is named to the moderator; nothing of it is opened here."""

    name: str
    content_type: str
    size: int


@_asks_and_does
@login_required
def held(request: HttpRequest, list_id: str) -> HttpResponse:
    """What waits, the oldest first; the ticked ones are decided together."""
    mailing_list = moderated(request, list_id)
    if request.method == "POST":
        _decide_ticked(request, mailing_list)
        return redirect("moderators:held", list_id)
    rows = held_messages(mailing_list).only("request_id", "sender", "subject", "reason", "held_at")
    posts = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    return page(request, "held", mailing_list, posts=posts)


def _decide_ticked(request: HttpRequest, mailing_list: MailingList) -> None:
    form = BulkForm(request.POST)
    ticked = [
        int(number) for number in request.POST.getlist("post")[:ON_A_PAGE] if re.fullmatch(r"[0-9]{1,15}", number)
    ]
    if not form.is_valid() or not ticked:
        messages.error(request, _("Tick the posts that are meant, and choose what to do with them."))
        return
    done = 0
    for waiting in held_messages(mailing_list).filter(request_id__in=ticked):
        try:
            moderation.decide(waiting, form.cleaned_data["decision"], form.cleaned_data["reason"], by=_name(request))
            done += 1
        except NotFound:
            continue  # Another moderator was faster; what they said counts.
    messages.success(
        request, ngettext("%(n)d post was decided about.", "%(n)d posts were decided about.", done) % {"n": done}
    )


@_asks_and_does
@login_required
def one(request: HttpRequest, list_id: str, request_id: int) -> HttpResponse:
    """One held post, as plain text, and the word about it."""
    mailing_list = moderated(request, list_id)
    try:
        post = _find(mailing_list, request_id)
    except Http404:
        if request.method != "POST":
            raise
        messages.info(request, _("This post was decided about already."))  # By another moderator, or a double click.
        return redirect("moderators:held", list_id)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                _from_now_on(mailing_list, post.sender, form.cleaned_data["from_now_on"])
                done = moderation.decide(
                    post, form.cleaned_data["decision"], form.cleaned_data["reason"], by=_name(request)
                )
            messages.success(request, _("The post was %(done)s.") % {"done": _(done)})
        except PostroadError as error:
            messages.error(request, str(error))
        return redirect("moderators:held", list_id)
    raw = storage.load(post.message)
    parts = parts_of(raw)
    reasons = decode(bytes(post.envelope)).moderation_reasons
    return page(
        request, "held_one", mailing_list, 400 if form.is_bound else 200, post=post, form=form,
        why=told(reasons, request.LANGUAGE_CODE), text=plain_text(raw, parts)[:LONGEST_SHOWN],
        fields=[(field.name, field.value[:2000]) for field in Headers.parse(raw).fields[:200]],
        attachments=[
            Attachment(part.filename or _("without a name"), part.content_type, part.end - part.body)
            for part in parts if not is_text(part)
        ],
    )  # fmt: skip


@require_safe
@login_required
def raw(request: HttpRequest, list_id: str, request_id: int) -> HttpResponse:
    """The post byte for byte, to be saved."""
    post = _find(moderated(request, list_id), request_id)
    response = HttpResponse(storage.load(post.message), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="held-{post.request_id}.eml"'
    response["Cache-Control"] = "private, no-store"
    return response


def _find(mailing_list: MailingList, request_id: int) -> HeldMessage:
    found = held_messages(mailing_list).filter(request_id=request_id).first()
    if found is None:
        raise Http404("This post was decided about meanwhile.")
    found.mailing_list = mailing_list
    return found


def _from_now_on(mailing_list: MailingList, sender: str, action: str) -> None:
    """What shall become of later posts of this sender, member or not."""
    if not action or not sender:
        return
    member = member_of(mailing_list, sender)
    if member is None:
        subscriptions.know_nonmembers(mailing_list, [sender])
        member = member_of(mailing_list, sender, "nonmember")
    if member is not None:
        subscriptions.change_member(member, moderation_action=action)


def _name(request: HttpRequest) -> str:
    assert isinstance(request.user, User)
    return str(request.user)
