"""REST 3.1 of held messages."""

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.api import find_list
from postroad.foundation.errors import NotFound
from postroad.foundation.queue.envelope import decode
from postroad.foundation.rest import body
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.resource import Json, done, link, moment, ok, paged
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation import actions
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.queries import held_messages


def held_resource(request: HttpRequest, held: HeldMessage) -> Json:
    """A held post as clients see it, with what was known when it was held."""
    envelope = decode(bytes(held.envelope))
    return {
        "request_id": held.request_id,
        "self_link": link(request, f"lists/{held.mailing_list.list_id}/held/{held.request_id}"),
        "msg": storage.load(held.message).decode("utf-8", "replace"),
        "message_id": f"<{held.message_id}>",
        "sender": held.sender,
        "subject": held.subject,
        "original_subject": held.subject,
        "reason": held.reason,
        "hold_date": moment(held.held_at),
        "listid": held.mailing_list.list_id,
        "original_size": envelope.size,
        "rule_hits": list(envelope.rule_hits),
        "rule_misses": list(envelope.rule_misses),
        "moderation_sender": envelope.moderation_sender,
        "moderation_reasons": list(envelope.moderation_reasons),
        "to_list": True,
    }


def _find(list_id: str, request_id: str) -> HeldMessage:
    rows = held_messages(find_list(list_id)).select_related("mailing_list")
    found = rows.filter(request_id=int(request_id)).first() if request_id.isdigit() else None
    if found is None:
        raise NotFound("404 Not Found")
    return found


def _show_all(request: HttpRequest, list_id: str) -> HttpResponse:
    rows = held_messages(find_list(list_id)).select_related("mailing_list")
    return paged(request, rows, lambda held: held_resource(request, held))


def _count(request: HttpRequest, list_id: str) -> HttpResponse:
    return ok({"count": held_messages(find_list(list_id)).count()})


def _show(request: HttpRequest, list_id: str, request_id: str) -> HttpResponse:
    return ok(held_resource(request, _find(list_id, request_id)))


def _decide(request: HttpRequest, list_id: str, request_id: str) -> HttpResponse:
    held = _find(list_id, request_id)
    action = body.choice("hold", "reject", "discard", "accept", "defer")
    values = body.read(request, {"action": action}, {"comment": body.text, "forward": body.emails})
    actions.decide(held, values["action"], values.get("comment", ""), values.get("forward", ()))
    return done()


held_all = endpoint(get=_show_all)
held_count = endpoint(get=_count)
held_one = endpoint(get=_show, post=_decide)
