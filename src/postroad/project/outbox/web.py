"""Pages of the outbox. They exist only on a site that has no relay: there the site is one's own."""

import email.utils
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.message.compose import compose
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_of, new_message_id
from postroad.foundation.message.mime import first_text, walk
from postroad.foundation.queue.actions import steps_of
from postroad.mailflow.delivery.models import OutboxMail
from postroad.mailflow.delivery.queries import replies_of
from postroad.mailflow.intake.actions import accept
from postroad.mailflow.intake.events import Transaction

View = Callable[..., HttpResponse]


def only_without_relay(view: View) -> View:
    """Nobody sees an outbox on a site that really sends."""

    def guarded(request: HttpRequest, **arguments: object) -> HttpResponse:
        if current().smtp.host:
            raise Http404
        return view(request, **arguments)

    return guarded


class PostForm(forms.Form):
    """A post as its author writes it."""

    sender = forms.EmailField(label="From")
    mailing_list = forms.ModelChoiceField(
        MailingList.objects.order_by("list_id"), label="To the list", to_field_name="list_id"
    )
    subject = forms.CharField(max_length=200)
    text = forms.CharField(widget=forms.Textarea(attrs={"rows": 8}), max_length=100_000)


@require_safe
@only_without_relay
def outbox(request: HttpRequest) -> HttpResponse:
    """The newest copies first."""
    page = Paginator(OutboxMail.objects.order_by("-pk"), 25).get_page(request.GET.get("page"))
    rows = [_row(mail) for mail in page]
    return render(request, "outbox/all.html", {"page": page, "rows": rows, "form": PostForm()})


def _row(mail: OutboxMail) -> dict[str, object]:
    headers = Headers.parse(bytes(mail.content))
    return {
        "pk": mail.pk,
        "recipients": mail.recipients,
        "subject": decode_words(headers.get("subject") or "") or "(no subject)",
        "sender": decode_words(headers.get("from") or ""),
        "at": datetime.fromtimestamp(mail.sent_at, tz=UTC),
    }


@require_safe
@only_without_relay
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One copy exactly as it would have been sent."""
    found = get_object_or_404(OutboxMail, pk=pk)
    raw = bytes(found.content)
    headers = Headers.parse(raw)
    root = walk(raw)
    part = first_text(root)
    return render(
        request,
        "outbox/mail.html",
        {
            "row": _row(found),
            "return_path": found.sender,
            "fields": [(field.name, decode_words(field.value)) for field in headers],
            "text": part.text(raw) if part else raw[headers.body_offset :].decode("utf-8", "replace"),
            "message_id": message_id_of(headers) or "",
        },
    )


@require_http_methods(["GET", "POST"])
@only_without_relay
def post(request: HttpRequest) -> HttpResponse:
    """Post to a list as its MTA would hand it in, then show its journey."""
    form = PostForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        message_id = new_message_id("demo.invalid")
        chosen: MailingList = form.cleaned_data["mailing_list"]
        data = compose(
            from_=form.cleaned_data["sender"], to=chosen.fqdn_listname, subject=form.cleaned_data["subject"],
            text=form.cleaned_data["text"], message_id=message_id,
            headers={"Date": email.utils.formatdate(time.time())},
        )  # fmt: skip
        accept([Transaction(form.cleaned_data["sender"], (chosen.fqdn_listname,), data)])
        return redirect("outbox:trace", message_id=message_id)
    return render(request, "outbox/post.html", {"form": form})


@require_safe
@only_without_relay
def trace(request: HttpRequest, message_id: str) -> HttpResponse:
    """The journey of a mail, as `postroad trace` tells it."""
    steps = steps_of(message_id)
    for step in steps:
        step.moment = datetime.fromtimestamp(step.at, tz=UTC)  # type: ignore[attr-defined]
    replies = [reply for _, reply in zip(range(100), replies_of(message_id), strict=False)]
    return render(request, "outbox/trace.html", {"steps": steps, "replies": replies, "message_id": message_id})
