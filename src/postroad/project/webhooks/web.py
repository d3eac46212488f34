"""Pages about webhooks, the site's for its owners and a list's for the list's owners: see, make, test, remove."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from postroad.community.people.models import User
from postroad.foundation.errors import PostroadError
from postroad.foundation.webhooks import actions
from postroad.foundation.webhooks.models import Delivery, Webhook
from postroad.project.moderators.access import moderated, surroundings
from postroad.project.webhooks.forms import WebhookForm

MOST_SHOWN = 50


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hooks(request: HttpRequest, list_id: str | None = None) -> HttpResponse:
    """The webhooks of the site or a list; the secret of a new one is shown once, on the page that answers the form."""
    around = _surroundings(request, list_id)
    form, secret, status = WebhookForm(request.POST or None), "", 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                secret = actions.make_webhook(**form.cleaned_data, list_id=list_id or "").secret
                form, status = WebhookForm(), 201
            except PostroadError as error:
                form.add_error("url", str(error))
    rows = [_hook(row, list_id) for row in Webhook.objects.filter(list_id=list_id or "").order_by("pk")]
    context = {**around, "form": form, "secret": secret, "rows": rows}
    return render(request, "webhook_pages/all.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, pk: int, list_id: str | None = None) -> HttpResponse:
    """One webhook with what it was told last; the buttons send a test, try again after failures, and remove it."""
    around = _surroundings(request, list_id)
    webhook = get_object_or_404(Webhook, pk=pk, list_id=list_id or "")
    if request.method == "POST":
        return _done(request, webhook, list_id)
    told = [_told(delivery) for delivery in webhook.deliveries.order_by("-pk")[:MOST_SHOWN]]
    context = {**around, "webhook": webhook, **_hook(webhook, list_id), "told": told, "back": _address(list_id)}
    return render(request, "webhook_pages/one.html", context)


def _done(request: HttpRequest, webhook: Webhook, list_id: str | None) -> HttpResponse:
    here = _address(list_id, webhook.pk)
    action = request.POST.get("do")
    try:
        if action == "remove":
            actions.remove_webhook(webhook)
            messages.success(request, _("It is told nothing more."))
            return redirect(_address(list_id))
        if action == "enable":
            actions.enable(webhook)
            messages.success(request, _("It is told of events again."))
        elif action == "test":
            actions.send_test(webhook)
            messages.success(request, _("A test is on its way; look at this page again in a moment."))
    except PostroadError as error:
        messages.error(request, str(error))
    return redirect(here)


def _surroundings(request: HttpRequest, list_id: str | None) -> dict[str, Any]:
    """What stands around a page.

    Raises:
        Http404: no such list, or this person does not own it, or not the site.
    """
    if list_id is not None:
        return {
            "base": "moderators/base.html",
            **surroundings(request, moderated(request, list_id, owned=True), "webhooks"),
        }
    if not (isinstance(request.user, User) and request.user.is_superuser):
        raise Http404
    return {"base": "allauth/layouts/manage.html"}


def _address(list_id: str | None, pk: int | None = None) -> str:
    arguments = {"list_id": list_id, "pk": pk}
    given = {name: value for name, value in arguments.items() if value is not None}
    return reverse(f"webhook_pages:{'all' if pk is None else 'one'}", kwargs=given)


def _hook(webhook: Webhook, list_id: str | None) -> dict[str, Any]:
    return {
        "url": webhook.url,
        "address": _address(list_id, webhook.pk),
        "events": webhook.events,
        "failing_since": _moment(webhook.failing_since),
        "disabled_at": _moment(webhook.disabled_at),
    }


def _told(delivery: Delivery) -> dict[str, Any]:
    return {
        "event": delivery.event,
        "at": _moment(delivery.created_at),
        "attempts": delivery.attempts,
        "outcome": delivery.outcome,
        "was_delivered": delivery.was_delivered,
        "is_over": delivery.finished_at is not None,
    }


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)
