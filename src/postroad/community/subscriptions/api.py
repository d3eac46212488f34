"""REST 3.1 of memberships: /members, rosters, one member by list, role and address."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.api import find_list
from postroad.community.lists.models import MailingList
from postroad.community.people.models import Preferences
from postroad.community.people.resource import PREFERENCE_CONVERTERS, preferences_resource
from postroad.community.subscriptions import actions, queries
from postroad.community.subscriptions.models import Member
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.rest import body
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.resource import (
    Json,
    collection,
    created,
    done,
    fields_asked,
    link,
    ok,
    page_of,
    uuid_in,
    uuid_out,
)

ROLES = tuple(Member.Role.values)
ACTIONS = ("hold", "reject", "discard", "accept", "defer")
FIELDS = (
    "address", "bounce_score", "last_bounce_received", "last_warning_sent", "total_warnings_sent", "delivery_mode",
    "email", "list_id", "subscription_mode", "role", "user", "moderation_action", "display_name", "self_link",
    "member_id",
)  # fmt: skip
NEVER_WARNED = "0001-01-01T00:00:00"


def member_resource(request: HttpRequest, row: queries.RosterRow, fields: frozenset[str] | None = None) -> Json:
    """A membership as clients see it; keys without a value are left out."""
    identifier = uuid_out(request, row.uuid)
    resource: Json = {
        "address": link(request, f"addresses/{row.email}"),
        "bounce_score": row.bounce_score,
        "last_warning_sent": row.last_warning_sent or NEVER_WARNED,
        "total_warnings_sent": row.total_warnings_sent,
        "delivery_mode": row.delivery_mode,
        "email": row.email,
        "list_id": row.list_id,
        "subscription_mode": row.subscription_mode,
        "role": row.role,
        "display_name": row.display_name,
        "self_link": link(request, f"members/{identifier}"),
        "member_id": identifier,
    }
    if row.last_bounce_received is not None:
        resource["last_bounce_received"] = row.last_bounce_received
    if row.user_uuid is not None:
        resource["user"] = link(request, f"users/{uuid_out(request, row.user_uuid)}")
    if row.moderation_action is not None:
        resource["moderation_action"] = row.moderation_action
    return resource if fields is None else {key: value for key, value in resource.items() if key in fields}


def find_member(request: HttpRequest, member_id: str) -> Member:
    """The membership of this identifier.

    Raises:
        NotFound: there is none, or it is no identifier.
    """
    uuid = uuid_in(request, member_id)
    found = Member.objects.filter(uuid=uuid).first() if uuid else None
    if found is None:
        raise NotFound("404 Not Found")
    return found


def _page(request: HttpRequest, selection: queries.Selection) -> HttpResponse:
    fields = fields_asked(request, FIELDS)
    start, count = page_of(request)
    rows: Sequence[queries.RosterRow] = queries.roster(selection, start, count)
    total = len(rows) if count is None else queries.roster_size(selection)
    return collection([member_resource(request, row, fields) for row in rows], start, total)


def _show_members(request: HttpRequest) -> HttpResponse:
    return _page(request, queries.Selection(roles=("owner", "moderator", "member")))


def _show_roster(request: HttpRequest, list_id: str, role: str) -> HttpResponse:
    return _page(request, queries.Selection(mailing_list=find_list(list_id).pk, roles=(role,)))


def _empty_roster(request: HttpRequest, list_id: str, role: str) -> HttpResponse:
    found = find_list(list_id)
    emails = body.read(request, {"emails": body.texts})["emails"]
    return ok(dict(actions.remove_members(found, emails)))


_JOIN_FIELDS: dict[str, body.Converter] = {
    "display_name": body.text,
    "delivery_mode": body.choice(*Preferences.DeliveryMode.values),
    "delivery_status": body.choice(*Preferences.DeliveryStatus.values),
    "role": body.choice(*ROLES),
    "pre_verified": body.boolean,
    "pre_confirmed": body.boolean,
    "pre_approved": body.boolean,
    "invitation": body.boolean,
    "send_welcome_message": body.boolean,
}


def _make_member(request: HttpRequest) -> HttpResponse:
    required = {"list_id": body.text, "subscriber": body.subscriber(partial(uuid_in, request))}
    values = body.read(request, required, _JOIN_FIELDS)
    try:
        mailing_list = find_list(values.pop("list_id"))
    except NotFound:
        raise BadInput("No such list") from None
    outcome = actions.join(mailing_list, values.pop("subscriber"), **values)
    if outcome.member is not None:
        return created(request, f"members/{uuid_out(request, outcome.member.uuid)}")
    return ok({"token": outcome.token, "token_owner": outcome.token_owner}, status=202)


def _show_member(request: HttpRequest, member_id: str) -> HttpResponse:
    return _shown(request, find_member(request, member_id))


def _shown(request: HttpRequest, member: Member) -> HttpResponse:
    return ok(member_resource(request, queries.roster(queries.Selection(member=member.pk), 0, 1)[0]))


def _change_member(request: HttpRequest, member_id: str) -> HttpResponse:
    return _changed(request, find_member(request, member_id))


def _changed(request: HttpRequest, member: Member) -> HttpResponse:
    optional = {
        "address": body.email,
        "delivery_mode": body.choice(*Preferences.DeliveryMode.values),
        "moderation_action": body.choice(*ACTIONS, blank=True),
    }
    actions.change_member(member, **body.read(request, {}, optional))
    return done()


def _end_member(request: HttpRequest, member_id: str) -> HttpResponse:
    return _ended(request, find_member(request, member_id))


def _ended(request: HttpRequest, member: Member) -> HttpResponse:
    flags: dict[str, Any] = {"pre_confirmed": True, "pre_approved": False}
    flags |= body.read(request, {}, {"pre_confirmed": body.boolean, "pre_approved": body.boolean})
    outcome = actions.leave(member, **flags)
    if outcome.token is None:
        return done()
    return ok({"token": outcome.token, "token_owner": outcome.token_owner}, status=202)


def _in_role(list_id: str, role: str, email: str) -> Member:
    found: Member | None = queries.member_of(_list(list_id), email, role)
    if found is None:
        raise NotFound("404 Not Found")
    return found


def _list(list_id: str) -> MailingList:
    return find_list(list_id)


def _show_in_role(request: HttpRequest, list_id: str, role: str, email: str) -> HttpResponse:
    return _shown(request, _in_role(list_id, role, email))


def _change_in_role(request: HttpRequest, list_id: str, role: str, email: str) -> HttpResponse:
    return _changed(request, _in_role(list_id, role, email))


def _end_in_role(request: HttpRequest, list_id: str, role: str, email: str) -> HttpResponse:
    return _ended(request, _in_role(list_id, role, email))


_FIND_FIELDS: dict[str, body.Converter] = {
    "list_id": body.text,
    "subscriber": body.text,
    "role": body.choice(*ROLES),
    "moderation_action": body.choice(*ACTIONS, blank=True),
    "delivery_mode": body.choice(*Preferences.DeliveryMode.values),
    "delivery_status": body.choice(*Preferences.DeliveryStatus.values),
    "page": body.integer,
    "count": body.integer,
    "fields": body.texts,
}


def _find_members(request: HttpRequest) -> HttpResponse:
    values = body.read(request, {}, _FIND_FIELDS)
    for name in ("page", "count", "fields"):
        values.pop(name, None)
    if not values:
        return collection([], 0, 0)
    list_id = values.pop("list_id", None)
    selection = queries.Selection(list_id=list_id, subscriber=values.pop("subscriber", None))
    if "role" in values:
        selection = selection.narrowed(roles=(values.pop("role"),))
    return _page(request, selection.narrowed(**values))


def _find_lists(request: HttpRequest) -> HttpResponse:
    from postroad.community.lists.api import counted, list_resource
    from postroad.foundation.rest.resource import paged

    convert = body.subscriber(partial(uuid_in, request))
    optional = {"role": body.choice(*ROLES), "page": body.integer, "count": body.integer}
    values = body.read(request, {"subscriber": convert}, optional)
    subscriber: UUID | str = values["subscriber"]
    pks = queries.lists_of(subscriber, values.get("role"))
    if not pks:
        raise NotFound("404 Not Found")
    return paged(request, counted(MailingList.objects.filter(pk__in=pks)), lambda row: list_resource(request, row))


def _show_preferences(request: HttpRequest, member_id: str) -> HttpResponse:
    member = find_member(request, member_id)
    path = f"members/{member_id}/preferences"
    return ok({**preferences_resource(member), "self_link": link(request, path)})


def _write_preferences(request: HttpRequest, member_id: str) -> HttpResponse:
    member = find_member(request, member_id)
    whole = request.method == "PUT"
    values = body.read(request, PREFERENCE_CONVERTERS if whole else {}, {} if whole else PREFERENCE_CONVERTERS)
    actions.set_preferences(member, values)
    return done()


def _clear_preferences(request: HttpRequest, member_id: str) -> HttpResponse:
    member = find_member(request, member_id)
    actions.set_preferences(member, dict.fromkeys(PREFERENCE_CONVERTERS))
    return done()


def _show_effective(request: HttpRequest, member_id: str) -> HttpResponse:
    member = find_member(request, member_id)
    path = f"members/{member_id}/all/preferences"
    return ok({**queries.effective_preferences(member), "self_link": link(request, path)})


members = endpoint(get=_show_members, post=_make_member)
members_find = endpoint(get=_find_members, post=_find_members)
member = endpoint(get=_show_member, patch=_change_member, delete=_end_member)
member_preferences = endpoint(
    get=_show_preferences, put=_write_preferences, patch=_write_preferences, delete=_clear_preferences
)
member_all_preferences = endpoint(get=_show_effective)
roster = endpoint(get=_show_roster, delete=_empty_roster)
member_in_role = endpoint(get=_show_in_role, patch=_change_in_role, delete=_end_in_role)
lists_find = endpoint(get=_find_lists, post=_find_lists)


def _show_memberships(request: HttpRequest, email: str) -> HttpResponse:
    from postroad.community.people.api import find_address

    address = find_address(email)
    if address.user_id is None:
        return collection([], 0, 0)
    return _page(request, queries.Selection(user=address.user_id))


address_memberships = endpoint(get=_show_memberships)
