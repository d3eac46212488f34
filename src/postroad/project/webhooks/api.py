"""REST of webhooks, an addition to Mailman's: of the site, and of a list."""

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.api import find_list
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import shows, takes
from postroad.foundation.rest.resource import Json, done, found, link, moment, ok, paged
from postroad.foundation.rest.shapes import LINK, MOMENT, MOMENT_OR_NULL, TEXT, TEXTS, TRUTH, WHOLE, Shape, many, shape
from postroad.foundation.webhooks import actions
from postroad.foundation.webhooks.models import Delivery, Webhook

WEBHOOK = shape(
    "Webhook", id=WHOLE, list_id=TEXT, url=TEXT, events=TEXTS, created_at=MOMENT, failing_since=MOMENT_OR_NULL,
    disabled_at=MOMENT_OR_NULL, self_link=LINK,
)  # fmt: skip
NEW_WEBHOOK = Shape("NewWebhook", {**WEBHOOK.keys, "secret": TEXT})
DELIVERY = shape(
    "Delivery", name=TEXT, event=TEXT, created_at=MOMENT, attempts=WHOLE, outcome=TEXT, was_delivered=TRUTH,
    finished_at=MOMENT_OR_NULL,
)  # fmt: skip


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)


def _scope(list_id: str | None) -> tuple[str, str]:
    """The list a webhook is of ("" for the site), and the path of the collection."""
    if list_id is None:
        return "", "webhooks"
    name = find_list(list_id).list_id
    return name, f"lists/{name}/webhooks"


def _find(list_id: str | None, webhook_id: str) -> Webhook:
    number = int(webhook_id) if webhook_id.isascii() and webhook_id.isdigit() and len(webhook_id) < 19 else 0
    return found(Webhook.objects.filter(list_id=_scope(list_id)[0], pk=number).first())


def _resource(request: HttpRequest, path: str, webhook: Webhook) -> Json:
    return {
        "id": webhook.pk,
        "list_id": webhook.list_id,
        "url": webhook.url,
        "events": webhook.events,
        "created_at": _moment(webhook.created_at),
        "failing_since": _moment(webhook.failing_since),
        "disabled_at": _moment(webhook.disabled_at),
        "self_link": link(request, f"{path}/{webhook.pk}"),
    }


def _show_all(request: HttpRequest, list_id: str | None = None) -> HttpResponse:
    """The webhooks of the site, or of a list."""
    name, path = _scope(list_id)
    rows = Webhook.objects.filter(list_id=name).order_by("pk")
    return paged(request, rows, lambda webhook: _resource(request, path, webhook))


def _make(request: HttpRequest, values: Values, list_id: str | None = None) -> HttpResponse:
    """Tell an address of events; the answer has the secret its requests are signed with, which is not told again."""
    name, path = _scope(list_id)
    made = actions.make_webhook(values["url"], values.get("events", ()), name)
    return ok({**_resource(request, path, made), "secret": made.secret}, status=201)


def _show(request: HttpRequest, webhook_id: str, list_id: str | None = None) -> HttpResponse:
    """One webhook."""
    return ok(_resource(request, _scope(list_id)[1], _find(list_id, webhook_id)))


def _enable(request: HttpRequest, values: Values, webhook_id: str, list_id: str | None = None) -> HttpResponse:
    """Try an address again that was given up after failures."""
    actions.enable(_find(list_id, webhook_id))
    return done()


def _remove(request: HttpRequest, values: Values, webhook_id: str, list_id: str | None = None) -> HttpResponse:
    """Tell an address nothing more."""
    actions.remove_webhook(_find(list_id, webhook_id))
    return done()


def _show_deliveries(request: HttpRequest, webhook_id: str, list_id: str | None = None) -> HttpResponse:
    """What was told, the latest first, and what the address answered."""
    return paged(request, _find(list_id, webhook_id).deliveries.order_by("-pk"), _delivery)


def _delivery(delivery: Delivery) -> Json:
    return {
        "name": delivery.name,
        "event": delivery.event,
        "created_at": _moment(delivery.created_at),
        "attempts": delivery.attempts,
        "outcome": delivery.outcome,
        "was_delivered": delivery.was_delivered,
        "finished_at": _moment(delivery.finished_at),
    }


webhooks = endpoint(
    get=shows(_show_all, many(WEBHOOK), paged=True),
    post=takes(_make, {"url": fields.address}, {"events": fields.lines}, status=201, gives=NEW_WEBHOOK),
)
webhook = endpoint(get=shows(_show, WEBHOOK), post=takes(_enable), delete=takes(_remove))
deliveries = endpoint(get=shows(_show_deliveries, many(DELIVERY), paged=True))
