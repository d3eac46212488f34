"""REST 3.1 of held messages and header matches (facts: REST 3.1 §13, §15)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

from postroad.community.lists import actions as lists
from postroad.community.lists.api import find_list
from postroad.community.lists.models import HeaderMatch
from postroad.community.lists.queries import header_matches
from postroad.foundation.errors import NotFound
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue.envelope import decode
from postroad.foundation.rest import body
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.resource import Json, collection, created, done, link, moment, ok, page_of, without_nulls
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation import actions
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.queries import held_messages

ACTION = body.choice("hold", "reject", "discard", "accept", "defer")
BLANK_ACTION = body.choice("hold", "reject", "discard", "accept", "defer", blank=True)


# --- held messages


def _held_resources(request: HttpRequest, rows: Sequence[HeldMessage]) -> list[Json]:
    """Held posts as clients see them, with what was known when they were held; one look at the storage for all."""
    stored = storage.load_many({row.message for row in rows})
    return [_held_resource(request, row, stored.get(row.message, b"")) for row in rows]


def _held_resource(request: HttpRequest, held: HeldMessage, raw: bytes) -> Json:
    envelope = decode(bytes(held.envelope))
    subject = Headers.parse(raw[:1_000_000]).get("subject") if raw else None
    return {
        "request_id": held.request_id,
        "self_link": link(request, f"lists/{held.mailing_list.list_id}/held/{held.request_id}"),
        "msg": raw.decode("utf-8", "replace") if raw else "The stored message has vanished.",
        "message_id": f"<{held.message_id}>",
        "sender": held.sender,
        "subject": held.subject,
        "original_subject": held.subject if subject is None else subject,
        "reason": held.reason,
        "hold_date": moment(held.held_at),
        "listid": held.mailing_list.list_id,
        "original_size": envelope.size,
        "received_time": moment(datetime.fromtimestamp(envelope.received_at, tz=UTC)),
        "rule_hits": list(envelope.rule_hits),
        "rule_misses": list(envelope.rule_misses),
        "moderation_sender": envelope.moderation_sender,
        "moderation_reasons": list(envelope.moderation_reasons),
        "member_moderation_action": envelope.moderation_action,
        "dmarc": envelope.dmarc,
        "to_list": True,
    }


def _find_held(list_id: str, request_id: str) -> HeldMessage:
    rows = held_messages(find_list(list_id)).select_related("mailing_list")
    number = int(request_id) if request_id.isascii() and request_id.isdigit() and len(request_id) < 19 else 0
    found = rows.filter(request_id=number).first()
    if found is None:
        raise NotFound("404 Not Found")
    return found


def _show_held_all(request: HttpRequest, list_id: str) -> HttpResponse:
    rows = held_messages(find_list(list_id)).select_related("mailing_list")
    start, count = page_of(request)
    page = list(rows if count is None else rows[start : start + count])
    return collection(_held_resources(request, page), start, len(page) if count is None else rows.count())


def _count_held(request: HttpRequest, list_id: str) -> HttpResponse:
    return ok({"count": held_messages(find_list(list_id)).count()})


def _show_held(request: HttpRequest, list_id: str, request_id: str) -> HttpResponse:
    (found,) = _held_resources(request, [_find_held(list_id, request_id)])
    return ok(found)


def _decide(request: HttpRequest, list_id: str, request_id: str) -> HttpResponse:
    held = _find_held(list_id, request_id)
    values = body.read(request, {"action": ACTION}, {"comment": body.text, "forward": body.emails})
    actions.decide(held, values["action"], values.get("comment", ""), values.get("forward", ()), by="REST")
    return done()


held_all = endpoint(get=_show_held_all)
held_count = endpoint(get=_count_held)
held_one = endpoint(get=_show_held, post=_decide)


# --- header matches


def _match_resource(request: HttpRequest, match: HeaderMatch, list_id: str) -> Json:
    return without_nulls(
        {
            "position": match.position,
            "header": match.header,
            "pattern": match.pattern,
            "action": match.action,
            "tag": match.tag,
            "self_link": link(request, f"lists/{list_id}/header-matches/{match.position}"),
        }
    )


def _find_match(list_id: str, position: str) -> HeaderMatch:
    rows = header_matches(find_list(list_id)).select_related("mailing_list")
    number = int(position) if position.isascii() and position.isdigit() and len(position) < 9 else -1
    found = rows.filter(position=number).first()
    if found is None:
        raise NotFound("404 Not Found")
    return found


def _show_matches(request: HttpRequest, list_id: str) -> HttpResponse:
    mailing_list = find_list(list_id)
    rows = header_matches(mailing_list)
    start, count = page_of(request)
    page = list(rows if count is None else rows[start : start + count])
    entries = [_match_resource(request, match, mailing_list.list_id) for match in page]
    return collection(entries, start, len(page) if count is None else rows.count())


def _add_match(request: HttpRequest, list_id: str) -> HttpResponse:
    mailing_list = find_list(list_id)
    values = body.read(request, {"header": body.text, "pattern": body.text}, {"action": BLANK_ACTION, "tag": body.text})
    match = lists.add_header_match(mailing_list, **values)
    return created(request, f"lists/{mailing_list.list_id}/header-matches/{match.position}")


def _clear_matches(request: HttpRequest, list_id: str) -> HttpResponse:
    lists.clear_header_matches(find_list(list_id))
    return done()


def _search_matches(request: HttpRequest, list_id: str) -> HttpResponse:
    """Those that are exactly so; 404 when there are none."""
    mailing_list = find_list(list_id)
    values = body.read(request, {}, {"header": body.text, "action": ACTION, "tag": body.text})
    if "header" in values:
        values["header"] = values["header"].lower()
    entries = [
        _match_resource(request, match, mailing_list.list_id) for match in header_matches(mailing_list).filter(**values)
    ]
    if not entries:
        raise NotFound("404 Not Found")
    return collection(entries, 0, len(entries))


def _show_match(request: HttpRequest, list_id: str, position: str) -> HttpResponse:
    match = _find_match(list_id, position)
    return ok(_match_resource(request, match, match.mailing_list.list_id))


def _put_match(request: HttpRequest, list_id: str, position: str) -> HttpResponse:
    return _change_match(request, list_id, position, whole=True)


def _patch_match(request: HttpRequest, list_id: str, position: str) -> HttpResponse:
    return _change_match(request, list_id, position, whole=False)


def _change_match(request: HttpRequest, list_id: str, position: str, *, whole: bool) -> HttpResponse:
    match = _find_match(list_id, position)
    main = {"header": body.text, "pattern": body.text}
    more = {"action": BLANK_ACTION, "tag": _lower, "position": body.integer}
    values = body.read(request, main, more) if whole else body.read(request, {}, {**main, **more})
    lists.change_header_match(match, **values)
    return done()


def _lower(value: object) -> str:
    """A tag as PUT and PATCH keep it; Mailman's POST keeps the case."""
    return body.text(value).lower()


def _remove_match(request: HttpRequest, list_id: str, position: str) -> HttpResponse:
    lists.remove_header_match(_find_match(list_id, position))
    return done()


matches = endpoint(get=_show_matches, post=_add_match, delete=_clear_matches)
matches_found = endpoint(get=_search_matches, post=_search_matches)
match = endpoint(get=_show_match, put=_put_match, patch=_patch_match, delete=_remove_match)
