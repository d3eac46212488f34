"""The texts of a list's notices: see what is in force, try another, keep it, or give it up."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from postroad.community.lists.models import MailingList
from postroad.community.notices import own_texts
from postroad.community.notices.templates import ALL_NAMES, built_in, variables
from postroad.foundation.errors import BadInput
from postroad.project.moderators.access import moderated, page
from postroad.project.moderators.forms import TextForm

GROUPS: Mapping[str, Promise] = MappingProxyType(
    {
        "list:user": gettext_lazy("To one person"),
        "list:member": gettext_lazy("In posts and digests"),
        "list:admin": gettext_lazy("To moderators and owners"),
        "domain:admin": gettext_lazy("To owners of a new list"),
    }
)
"""Names of texts begin with whom they are for."""
SAID: Mapping[str, Promise] = MappingProxyType(
    {
        "list:member:regular:header": gettext_lazy("On top of each post"),
        "list:member:regular:footer": gettext_lazy("Below each post"),
        "list:member:digest:header": gettext_lazy("On top of each digest"),
        "list:member:digest:footer": gettext_lazy("Below each digest"),
        "list:member:digest:masthead": gettext_lazy("First part of each digest"),
    }
)
"""What a text without a subject of its own is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One text on the overview."""

    name: str
    title: str
    is_own: bool


@require_safe
@login_required
def texts(request: HttpRequest, list_id: str) -> HttpResponse:
    """All texts by whom they are for, and which of them are the list's own."""
    mailing_list = moderated(request, list_id, owned=True)
    own = own_texts.names_in(mailing_list.list_id)
    groups = [
        (title, [Row(n, _title(n, mailing_list), n in own) for n in ALL_NAMES if n.startswith(f"{prefix}:")])
        for prefix, title in GROUPS.items()
    ]
    return page(request, "texts", mailing_list, groups=groups)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def one(request: HttpRequest, list_id: str, name: str) -> HttpResponse:
    """Write a text; it is previewed before it counts."""
    mailing_list = moderated(request, list_id, owned=True)
    if name not in ALL_NAMES:
        raise Http404
    language = request.GET.get("language", "")
    first = {"language": language, "body": own_texts.show(name, mailing_list, language)}
    form = TextForm(request.POST or None, initial=first)
    shown, status = None, 200
    if request.method == "POST":
        try:
            if _changed(request, form, name, mailing_list):
                return redirect("moderators:text", list_id, name)
            body, language = form.cleaned_data["body"], form.cleaned_data["language"]
            shown = own_texts.preview(name, mailing_list, body, language)
        except BadInput as error:
            form.add_error("body", str(error))
            status = 400
    return page(
        request, "text", mailing_list, status, name=name, title=_title(name, mailing_list), form=form, preview=shown,
        is_own=name in own_texts.names_in(mailing_list.list_id),
        variables=sorted({*variables(built_in(name)), "listname", "display_name"}),
    )  # fmt: skip


def _changed(request: HttpRequest, form: TextForm, name: str, mailing_list: MailingList) -> bool:
    """Keep or give up the text if that was asked; False when it is only to be looked at.

    Raises:
        BadInput: what was sent is no text that can be kept.
    """
    if not form.is_valid():
        raise BadInput(_("This text cannot be kept."))
    language = form.cleaned_data["language"]
    match request.POST.get("do"):
        case "keep":
            own_texts.keep(name, mailing_list.list_id, form.cleaned_data["body"], language)
            messages.success(request, _("The text counts from now on."))
            return True
        case "give_up":
            own_texts.give_up(name, mailing_list.list_id, language)
            messages.success(request, _("The text that came before counts again."))
            return True
    return False


def _title(name: str, mailing_list: MailingList) -> str:
    return str(SAID.get(name) or own_texts.sample_subject(name, mailing_list) or name)
