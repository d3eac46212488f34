"""The page behind a reminder's link: one press, and mail comes again."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.tokens import member_of_resume_token
from postroad.mailflow.bounces import actions


@csrf_exempt  # The token in the address is the authority; there is no session to abuse.
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest, list_id: str, token: str) -> HttpResponse:
    """Show the button, or switch delivery on again; GET changes nothing, for mail scanners follow links."""
    mailing_list = get_object_or_404(MailingList, list_id=list_id)
    pk = member_of_resume_token(mailing_list.pk, token)
    member = Member.objects.filter(pk=pk, mailing_list=mailing_list).first() if pk is not None else None
    if member is None:
        raise Http404("This link is not ours, or the membership has ended.")
    if request.method == "POST":
        actions.resume(member)
    context = {
        "display_name": all_settings()["display_name"].of(mailing_list), "mailing_list": mailing_list,
        "is_off": member.delivery_status == "by_bounces",
    }  # fmt: skip
    return render(request, "bounces/resume.html", context)
