"""Addresses of Mailman's own pages, Postorius's and Mailman 2.1's: each leads to the page that does the same here.

They lead by GET only and do nothing; a secret in one is taken along to the page that asks whether it is meant.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, include, path, resolve, reverse
from django.views.decorators.http import require_safe

from postroad.community.lists.models import MailingList
from postroad.mailflow.archive.queries import readable_lists


def _found(request: HttpRequest, name: str) -> MailingList:
    """The list of this list-id, address or local part; of several, that of the host.

    Raises:
        Http404: there is none.
    """
    local, at, host = name.lower().partition("@")
    rows = MailingList.objects.filter(list_name=local, mail_host=host) if at else MailingList.objects.filter(
        list_id=name.lower()
    )  # fmt: skip
    found = list(rows) or list(MailingList.objects.filter(list_name=local).order_by("pk"))
    if not found:
        raise Http404
    own_host = request.get_host().partition(":")[0]
    return next((m for m in found if own_host in (m.mail_host, f"lists.{m.mail_host}")), found[0])


def _first(*addresses: str) -> HttpResponseBase:
    """Lead to the first of these that is an address of this site."""
    for address in addresses:
        try:
            resolve(address.partition("?")[0])
        except Resolver404:
            continue
        answer = HttpResponseRedirect(address)
        answer["Cache-Control"] = "private, no-store"
        return answer
    raise Http404


def _page(request: HttpRequest, mailing_list: MailingList) -> str:
    """A list's page: its archive for whoever may read that, else the one to join."""
    if readable_lists(request.user).filter(pk=mailing_list.pk).exists():
        return reverse("archive:overview", args=[mailing_list.list_id])
    return reverse("subscriptions:join", args=[mailing_list.list_id])


def _to_list(suffix: str = "") -> Callable[..., HttpResponseBase]:
    """A view that leads to a page of a list, or to the list's own where there is none of this name."""

    @require_safe
    def view(request: HttpRequest, name: str, rest: str = "") -> HttpResponseBase:
        found = _found(request, name)
        return _first(*([f"/lists/{found.list_id}/{suffix}"] if suffix else []), _page(request, found))

    return view


def _to(*addresses: str) -> Callable[..., HttpResponseBase]:
    """A view that leads to the first of these addresses there is."""

    @require_safe
    def view(request: HttpRequest, rest: str = "") -> HttpResponseBase:
        return _first(*addresses, "/")

    return view


@require_safe
def confirm(request: HttpRequest, name: str, token: str = "") -> HttpResponseBase:
    """The page that asks whether what a mailed secret stands for is meant."""
    secret = (token or request.GET.get("token", "")).strip().strip("/")
    found = _found(request, name)
    if not secret.isalnum():
        return _first(_page(request, found))
    return _first(reverse("subscriptions:confirm", args=[found.list_id, secret]))


_POSTORIUS: Sequence[tuple[str, Callable[..., HttpResponseBase]]] = (
    ("", _to("/")), ("lists/", _to("/")), ("lists/new/", _to("/lists/new/")),
    ("accounts/<path:rest>", _to("/accounts/subscriptions/", "/accounts/email/")), ("system/", _to("/system/")),
    ("bans/", _to("/bans/")), ("users", _to("/users/")), ("users/<path:rest>", _to("/users/")),
    ("domains/", _to("/domains/")), ("domains/<path:rest>", _to("/domains/")),
    ("lists/<str:name>/", _to_list()), ("lists/<str:name>/confirm/", confirm),
    ("lists/<str:name>/subscribe", _to_list("join/")), ("lists/<str:name>/anonymous_subscribe", _to_list("join/")),
    ("lists/<str:name>/unsubscribe/", _to_list("leave/")), ("lists/<str:name>/held_messages", _to_list("held/")),
    ("lists/<str:name>/subscription_requests", _to_list("requests/")),
    ("lists/<str:name>/unsubscription_requests", _to_list("requests/")),
    ("lists/<str:name>/pending_confirmation", _to_list("requests/")),
    ("lists/<str:name>/members/<path:rest>", _to_list("members/")),
    ("lists/<str:name>/settings/", _to_list("settings/")),
    ("lists/<str:name>/settings/<path:rest>", _to_list("settings/")),
    ("lists/<str:name>/header-matches/", _to_list("header-matches/")), ("lists/<str:name>/bans/", _to_list("bans/")),
    ("lists/<str:name>/templates", _to_list("templates/")),
    ("lists/<str:name>/templates/<path:rest>", _to_list("templates/")),
    ("lists/<str:name>/mass_subscribe/", _to_list("members/")),
    ("lists/<str:name>/mass_removal/", _to_list("members/")), ("lists/<str:name>/delete", _to_list("settings/")),
)  # fmt: skip

_MAILMAN_2: Sequence[tuple[str, Callable[..., HttpResponseBase]]] = (
    ("listinfo", _to("/")), ("listinfo/", _to("/")), ("admin", _to("/")), ("admin/", _to("/")),
    ("listinfo/<str:name>", _to_list()), ("listinfo/<str:name>/", _to_list()),
    ("subscribe/<str:name>", _to_list("join/")), ("roster/<str:name>", _to_list("members/")),
    ("options/<str:name>", _to_list("leave/")), ("options/<str:name>/", _to_list("leave/")),
    ("options/<str:name>/<path:rest>", _to_list("leave/")), ("admin/<str:name>", _to_list("settings/")),
    ("admin/<str:name>/<path:rest>", _to_list("settings/")), ("admindb/<str:name>", _to_list("held/")),
    ("admindb/<str:name>/", _to_list("held/")), ("confirm/<str:name>", confirm), ("confirm/<str:name>/", confirm),
    ("confirm/<str:name>/<path:token>", confirm),
)  # fmt: skip


def _below(prefix: str, pages: Sequence[tuple[str, Callable[..., HttpResponseBase]]]) -> list[Any]:
    return [path(f"{prefix}{suffix}", view) for suffix, view in pages]


urlpatterns = [
    *_below("postorius/", _POSTORIUS),
    *_below("mailman3/", _POSTORIUS),
    *_below("mailman/", _MAILMAN_2),
    *_below("cgi-bin/mailman/", _MAILMAN_2),
    path("user-profile/", _to("/accounts/email/")),
    path("user-profile/<path:rest>", _to("/accounts/email/")),
    path("", include("postroad.mailflow.archive.old_addresses")),
]
