"""Joins and leaves that wait for a moderator."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.consent import Origin
from postroad.community.subscriptions.requests import for_moderators
from postroad.foundation.errors import PostroadError
from postroad.project.moderators.access import moderated, page
from postroad.project.moderators.forms import BulkForm

ON_A_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def requests(request: HttpRequest, list_id: str) -> HttpResponse:
    """What waits, the oldest first; the ticked ones are decided together."""
    mailing_list = moderated(request, list_id)
    if request.method == "POST":
        _decide_ticked(request, mailing_list)
        return redirect("moderators:requests", list_id)
    rows = Paginator(for_moderators(mailing_list), ON_A_PAGE).get_page(request.GET.get("page"))
    return page(request, "requests", mailing_list, rows=rows)


def _decide_ticked(request: HttpRequest, mailing_list: MailingList) -> None:
    form = BulkForm(request.POST)
    ticked = request.POST.getlist("token")[:ON_A_PAGE]
    if not form.is_valid() or not ticked:
        messages.error(request, _("Tick the requests that are meant, and choose what to do with them."))
        return
    origin = Origin("web", f"{request.user} from {request.META.get('REMOTE_ADDR', '')}")
    done = 0
    for pending in for_moderators(mailing_list).filter(token__in=ticked):
        try:
            subscriptions.decide(pending, form.cleaned_data["decision"], form.cleaned_data["reason"], origin=origin)
            done += 1
        except PostroadError as error:
            messages.error(request, f"{pending.shown}: {error}")
    messages.success(
        request, ngettext("%(n)d request was decided about.", "%(n)d requests were decided about.", done) % {"n": done}
    )
