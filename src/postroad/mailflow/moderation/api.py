"""REST 3.1 of held messages and header matches (facts: REST 3.1 §13, §15)."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse

from postroad.community.lists import actions as lists
from postroad.community.lists.api import find_list
from postroad.community.lists.models import HeaderMatch
from postroad.community.lists.queries import header_matches
from postroad.community.lists.register import all_settings
from postroad.foundation.errors import NotFound
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue.envelope import decode
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import asks, changes, shows, takes
from postroad.foundation.rest.resource import Json, collection, created, done, link, moment, ok, page_of, without_nulls
from postroad.foundation.rest.shapes import (
    ANY,
    LINK,
    MOMENT,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    TRUTH,
    WHOLE,
    many,
    shape,
)
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation import actions
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.queries import held_messages

ACTION = fields.choice("hold", "reject", "discard", "accept", "defer")
BLANK_ACTION = fields.choice("hold", "reject", "discard", "accept", "defer", blank=True)
HELD = shape(
    "HeldMessage", open_=True, request_id=WHOLE, self_link=LINK, msg=TEXT, message_id=TEXT, sender=TEXT, subject=TEXT,
    original_subject=TEXT, reason=TEXT, hold_date=MOMENT, listid=TEXT, lang=TEXT, envsender=TEXT, original_size=WHOLE,
    received_time=MOMENT, rule_hits=TEXTS, rule_misses=TEXTS, moderation_sender=TEXT, moderation_reasons=ANY,
    member_moderation_action=TEXT_OR_NULL, dmarc=TRUTH, to_list=TRUTH,
)  # fmt: skip
COUNT = shape("Count", count=WHOLE)
HEADER_MATCH = shape(
    "HeaderMatch", may_lack="action tag", position=WHOLE, header=TEXT, pattern=TEXT, action=TEXT, tag=TEXT,
    self_link=LINK,
)  # fmt: skip


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
        "msg": raw.decode("utf-8", "replace").replace("\r\n", "\n") if raw else "The stored message has vanished.",
        "message_id": f"<{held.message_id}>",
        "sender": held.sender,
        "subject": held.subject,
        "original_subject": held.subject if subject is None else subject,
        "reason": held.reason,
        "hold_date": moment(held.held_at),
        "listid": held.mailing_list.list_id,
        "lang": all_settings()["preferred_language"].of(held.mailing_list),
        "envsender": envelope.sender,
        "original_size": envelope.size,
        "received_time": moment(envelope.received_at),
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
    """The posts that wait, the oldest first."""
    rows = held_messages(find_list(list_id)).select_related("mailing_list")
    start, count = page_of(request)
    page = list(rows if count is None else rows[start : start + count])
    return collection(_held_resources(request, page), start, len(page) if count is None else rows.count())


def _count_held(request: HttpRequest, list_id: str) -> HttpResponse:
    """How many posts wait."""
    return ok({"count": held_messages(find_list(list_id)).count()})


def _show_held(request: HttpRequest, list_id: str, request_id: str) -> HttpResponse:
    """One held post."""
    (found,) = _held_resources(request, [_find_held(list_id, request_id)])
    return ok(found)


def _decide(request: HttpRequest, values: Values, list_id: str, request_id: str) -> HttpResponse:
    """Accept, reject, discard or leave a held post, and perhaps forward it."""
    held = _find_held(list_id, request_id)
    actions.decide(held, values["action"], values.get("comment", ""), values.get("forward", ()), by="REST")
    return done()


held_all = endpoint(get=shows(_show_held_all, many(HELD), paged=True))
held_count = endpoint(get=shows(_count_held, COUNT))
held_one = endpoint(
    get=shows(_show_held, HELD),
    post=takes(_decide, {"action": ACTION}, {"comment": fields.text, "forward": fields.emails}),
)


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
    """A list's header checks in order."""
    mailing_list = find_list(list_id)
    rows = header_matches(mailing_list)
    start, count = page_of(request)
    page = list(rows if count is None else rows[start : start + count])
    entries = [_match_resource(request, match, mailing_list.list_id) for match in page]
    return collection(entries, start, len(page) if count is None else rows.count())


def _add_match(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """Add a header check as the last one."""
    mailing_list = find_list(list_id)
    match = lists.add_header_match(mailing_list, **values)
    return created(request, f"lists/{mailing_list.list_id}/header-matches/{match.position}")


def _clear_matches(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """Remove all header checks."""
    lists.clear_header_matches(find_list(list_id))
    return done()


def _search_matches(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """Those that are exactly so; 404 when there are none."""
    mailing_list = find_list(list_id)
    if "header" in values:
        values["header"] = values["header"].lower()
    entries = [
        _match_resource(request, match, mailing_list.list_id) for match in header_matches(mailing_list).filter(**values)
    ]
    if not entries:
        raise NotFound("404 Not Found")
    return collection(entries, 0, len(entries))


def _show_match(request: HttpRequest, list_id: str, position: str) -> HttpResponse:
    """One header check, by position."""
    match = _find_match(list_id, position)
    return ok(_match_resource(request, match, match.mailing_list.list_id))


def _change_match(request: HttpRequest, values: Values, list_id: str, position: str) -> HttpResponse:
    """Change a header check, or move it."""
    lists.change_header_match(_find_match(list_id, position), **values)
    return done()


def _remove_match(request: HttpRequest, values: Values, list_id: str, position: str) -> HttpResponse:
    """Remove a header check; those after it move up."""
    lists.remove_header_match(_find_match(list_id, position))
    return done()


_TAG = fields.Field(lambda value: fields.line(value).lower(), fields.line.schema)  # Mailman's POST keeps the case.
_CHECK = {"header": fields.line, "pattern": fields.pattern}
_searched = asks(
    _search_matches, None, {"header": fields.line, "action": ACTION, "tag": fields.line}, many(HEADER_MATCH)
)

matches = endpoint(
    get=shows(_show_matches, many(HEADER_MATCH), paged=True),
    post=takes(_add_match, _CHECK, {"action": BLANK_ACTION, "tag": fields.line}, status=201),
    delete=takes(_clear_matches),
)
matches_found = endpoint(get=_searched, post=_searched)
match = endpoint(
    changes(_change_match, _CHECK, {"action": BLANK_ACTION, "tag": _TAG, "position": fields.integer}),
    get=shows(_show_match, HEADER_MATCH),
    delete=takes(_remove_match),
)
