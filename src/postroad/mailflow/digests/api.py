"""REST of a list's digest: which comes next, sending it, counting on (facts: REST 3.1 §12)."""

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.api import find_list
from postroad.foundation.errors import BadInput
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import shows, takes
from postroad.foundation.rest.resource import nothing, ok
from postroad.foundation.rest.shapes import WHOLE, shape
from postroad.mailflow.digests import actions, queries

DIGEST = shape("Digest", next_digest_number=WHOLE, volume=WHOLE)


def _show(request: HttpRequest, list_id: str) -> HttpResponse:
    """Volume and number of the digest that is collected."""
    volume, number = queries.next_issue(find_list(list_id))
    return ok({"next_digest_number": number, "volume": volume})


def _act(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """Count on (`bump`), then send what was collected: at once (`send`), or if the list sends daily (`periodic`)."""
    mailing_list = find_list(list_id)
    if not values:
        return nothing(200)
    if values.get("send") and values.get("periodic"):
        raise BadInput("send and periodic options are mutually exclusive")
    if values.get("bump"):
        actions.bump(mailing_list)
    if values.get("send"):
        actions.send(mailing_list)
    if values.get("periodic"):
        actions.send_periodic(mailing_list)
    return nothing(202)


digest = endpoint(
    get=shows(_show, DIGEST),
    post=takes(
        _act,
        None,
        {"send": fields.boolean, "bump": fields.boolean, "periodic": fields.boolean},
        status=202,
        other={200: "nothing was asked for"},
    ),
)
