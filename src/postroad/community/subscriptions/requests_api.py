"""REST of joins and leaves that wait for somebody (facts: /lists/{l}/requests)."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from postroad.community.lists.api import find_list
from postroad.community.subscriptions import actions
from postroad.community.subscriptions.api import ACTIONS
from postroad.community.subscriptions.models import Pending
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import PAGE, shows, takes
from postroad.foundation.rest.resource import Json, done, found, moment, ok, paged
from postroad.foundation.rest.shapes import MOMENT, TEXT, WHOLE, many, shape

KINDS = ("subscription", "unsubscription")
REQUEST = shape(
    "Request", token=TEXT, type=TEXT, list_id=TEXT, email=TEXT, display_name=TEXT, when=MOMENT, token_owner=TEXT
)
COUNT = shape("Count", count=WHOLE)


def _resource(pending: Pending) -> Json:
    return {
        "token": pending.token,
        "type": pending.kind,
        "list_id": pending.list_id,
        "email": pending.shown,
        "display_name": pending.display_name,
        "when": moment(pending.created_at.replace(microsecond=0)),
        "token_owner": pending.token_owner,
    }


def _waiting(list_id: str, values: Values) -> "QuerySet[Pending]":
    rows = Pending.objects.filter(list_id=find_list(list_id).list_id, expires_at__gt=timezone.now())
    rows = rows.filter(kind=values.get("request_type", "subscription"))
    if "token_owner" in values:
        rows = rows.filter(token_owner=values["token_owner"])
    return rows.order_by("pk")


def _find(list_id: str, token: str) -> Pending:
    rows = Pending.objects.filter(list_id=find_list(list_id).list_id, kind__in=KINDS, expires_at__gt=timezone.now())
    return found(rows.filter(token=token).first())


def _show_all(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """Joins, or leaves, that wait on a list; the oldest first."""
    return paged(request, _waiting(list_id, values), _resource)


def _count(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """How many wait."""
    return ok({"count": _waiting(list_id, values).count()})


def _show(request: HttpRequest, list_id: str, token: str) -> HttpResponse:
    """One that waits, by its token."""
    return ok(_resource(_find(list_id, token)))


def _decide(request: HttpRequest, values: Values, list_id: str, token: str) -> HttpResponse:
    """Accept, reject (the reason is mailed), discard, or leave it waiting."""
    actions.decide(_find(list_id, token), values["action"], values.get("reason", ""))
    return done()


_FILTER = {"token_owner": fields.choice("no_one", "subscriber", "moderator"), "request_type": fields.choice(*KINDS)}

requests = endpoint(get=takes(_show_all, None, {**_FILTER, **PAGE}, status=200, gives=many(REQUEST)))
requests_count = endpoint(get=takes(_count, None, _FILTER, status=200, gives=COUNT))
request_one = endpoint(
    get=shows(_show, REQUEST),
    post=takes(
        _decide,
        {"action": fields.choice(*ACTIONS)},
        {"reason": fields.text},
        other={409: "accepted, but subscribed already"},
    ),
)
