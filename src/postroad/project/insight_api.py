"""REST beside Mailman's: what became of a mail, what would be done with one, and who called what."""

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.api import find_list
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.models import Call
from postroad.foundation.rest.operation import PAGE, asks
from postroad.foundation.rest.resource import Json, moment, ok, paged
from postroad.foundation.rest.shapes import MOMENT, TEXT, TEXT_OR_NULL, TEXTS, WHOLE, Schema, many, shape
from postroad.project.explaining import explain
from postroad.project.tracing import trace


def _several(**keys: Schema) -> Schema:
    return {"type": "array", "items": {"type": "object", "properties": keys, "required": sorted(keys)}}


_SECONDS: Schema = {"type": "number", "description": "seconds since 1970"}
TRACE = shape(
    "Trace", message_id=TEXT, waiting=_several(queue=TEXT, due_at=_SECONDS, state=TEXT, reason=TEXT),
    steps=_several(at=_SECONDS, list_id=TEXT, stage=TEXT, outcome=TEXT, reason=TEXT),
    replies=_several(list_id=TEXT, recipient=TEXT, reply=TEXT),
)  # fmt: skip
EXPLANATION = shape(
    "Explanation", action=TEXT, decided_by=TEXT, reasons=TEXTS, hits=TEXTS, misses=TEXTS, member=TEXT_OR_NULL,
    recipients=TEXT, sent=TEXT,
)  # fmt: skip
CALL = shape("Call", at=MOMENT, caller=TEXT, method=TEXT, path=TEXT, list_id=TEXT, status=WHOLE, times=WHOLE)


def _trace(request: HttpRequest, values: Values, list_id: str | None = None) -> HttpResponse:
    """What became of a mail: every step, what still waits, each recipient's SMTP reply."""
    only = find_list(list_id).list_id if list_id else None
    return ok(trace(values["message_id"], values.get("recipient"), only).plain())


def _explain(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """Which rule would decide about a mail to the list, and what would be sent; nothing is done."""
    return ok(explain(find_list(list_id), values["text"].encode(), values.get("sender", "")).plain())


def _audit(request: HttpRequest, values: Values, list_id: str | None = None) -> HttpResponse:
    """Who called what, the latest first; equal calls that only read, or were refused, are counted by the second."""
    rows = Call.objects.order_by("-pk")
    if list_id:
        mailing_list = find_list(list_id)
        rows = rows.filter(list_id__in=[mailing_list.list_id, mailing_list.fqdn_listname])
    wanted = {name: value for name, value in values.items() if name in ("caller", "method", "status")}
    return paged(request, rows.filter(**wanted), _call_resource)


def _call_resource(call: Call) -> Json:
    return {
        "at": moment(call.at),
        "caller": call.caller,
        "method": call.method,
        "path": call.path,
        "list_id": call.list_id,
        "status": call.status,
        "times": call.times,
    }


_FILTER = {"caller": fields.line, "method": fields.line, "status": fields.integer}

trace_ = endpoint(
    get=asks(
        _trace,
        {"message_id": fields.address},
        {"recipient": fields.email},
        TRACE,
        other={404: "no such mail was accepted, or its journey is older than is kept"},
    )
)
explain_ = endpoint(post=asks(_explain, {"text": fields.mail}, {"sender": fields.line}, EXPLANATION))
audit = endpoint(get=asks(_audit, None, {**_FILTER, **PAGE}, many(CALL)))
