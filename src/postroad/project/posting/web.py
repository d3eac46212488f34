"""Write to a list, or answer a mail of its archive."""

import textwrap

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from postroad.community.lists.models import MailingList
from postroad.community.lists.settings import display_name
from postroad.community.people.models import User
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.content import plain_text
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.posts import author
from postroad.mailflow.archive.queries import list_for, mail_of
from postroad.project.posting import actions
from postroad.project.posting.forms import PostForm

MOST_QUOTED = 60
"""Lines of the mail that is answered; the reader has it above."""

_asks_and_does = require_http_methods(["GET", "HEAD", "POST"])


@_asks_and_does
@login_required
def post(request: HttpRequest, list_id: str) -> HttpResponse:
    """Begin a conversation."""
    return _write(request, list_for(request.user, list_id), None)


@_asks_and_does
@login_required
def reply(request: HttpRequest, list_id: str, hash_: str) -> HttpResponse:
    """Answer a mail."""
    mailing_list = list_for(request.user, list_id)
    return _write(request, mailing_list, mail_of(mailing_list, hash_))


def _write(request: HttpRequest, mailing_list: MailingList, answered: Mail | None) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    addresses = actions.addresses_of(user)
    first = {"subject": actions.subject_of_reply(answered), "text": _quoted(answered)} if answered else {}
    form = PostForm(addresses, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        wish = form.cleaned_data
        actions.post(user, mailing_list, wish["sender"], wish["subject"], wish["text"], answered)
        messages.success(request, _("Your mail is on its way. It stands here when the list has let it pass."))
        if answered is None:
            return redirect("archive:overview", mailing_list.list_id)
        return redirect("archive:thread", mailing_list.list_id, answered.thread.key)
    context = {
        "mailing_list": mailing_list, "display_name": display_name.of(mailing_list), "answered": answered,
        "form": form, "has_address": bool(addresses),
    }  # fmt: skip
    return render(request, "posting/post.html", context, status=400 if form.is_bound else 200)


def _quoted(mail: Mail) -> str:
    """The text that is answered, behind marks; what was quoted in it, and its signature, left out."""
    own: list[str] = []
    for line in plain_text(storage.load(mail.message)).split("\n"):
        if line.rstrip() == "--":
            break
        if not line.startswith(">"):
            own += textwrap.wrap(line, 72, break_long_words=False) or [""]
    text = "\n".join(f"> {line}".rstrip() for line in "\n".join(own).strip("\n").split("\n")[:MOST_QUOTED])
    return _("%(name)s wrote:") % {"name": author(mail).name} + f"\n{text}\n\n"
