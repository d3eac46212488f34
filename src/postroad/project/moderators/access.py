"""Who may see the moderators' pages of a list, and what stands around each of them."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from postroad.community.lists.models import MailingList
from postroad.community.lists.settings import display_name
from postroad.community.subscriptions.requests import for_moderators
from postroad.community.subscriptions.rights import may_moderate, may_own
from postroad.mailflow.moderation.models import HeldMessage


def moderated(request: HttpRequest, list_id: str, *, owned: bool = False) -> MailingList:
    """The list, for its moderators; with `owned`, for its owners alone.

    Raises:
        Http404: there is no such list, or none this person moderates; the two look the same.
    """
    found = MailingList.objects.select_related("domain").filter(list_id=list_id).first()
    allowed = may_own if owned else may_moderate
    if found is None or not allowed(request.user, found.pk):
        raise Http404
    return found


def page(
    request: HttpRequest, template: str, mailing_list: MailingList, status: int = 200, **context: Any
) -> HttpResponse:
    """A page with the tabs of this list."""
    context |= surroundings(request, mailing_list, template)
    response = render(request, f"moderators/{template}.html", context, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def surroundings(request: HttpRequest, mailing_list: MailingList, tab: str) -> dict[str, Any]:
    """What the tabs of a list show; moderators who are no owners have neither texts nor webhooks."""
    counts = {
        "held": HeldMessage.objects.filter(mailing_list=mailing_list).count(),
        "requests": for_moderators(mailing_list).count(),
    }
    return {
        "mailing_list": mailing_list, "display_name": display_name.of(mailing_list), "counts": counts, "tab": tab,
        "is_owner": may_own(request.user, mailing_list.pk),
    }  # fmt: skip
