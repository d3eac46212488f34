"""REST of memberships: /members, rosters, one member by list, role and address (facts: /members)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.api import LIST, find_list, show_lists
from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import list_key
from postroad.community.people.api import find_address
from postroad.community.people.models import Preferences
from postroad.community.people.queries import find_user
from postroad.community.people.resource import PREFERENCES, preferences_endpoint
from postroad.community.subscriptions import actions, queries, rosters
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.queries import Selection
from postroad.community.subscriptions.rosters import RosterRow
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.message.addresses import identity
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values, given
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import PAGE, asks, shows, takes
from postroad.foundation.rest.resource import (
    Json,
    collection,
    created,
    done,
    escaped,
    fields_asked,
    found,
    link,
    moment,
    ok,
    page_of,
    uuid_in,
    uuid_out,
    version_of,
)
from postroad.foundation.rest.shapes import IDENTIFIER, LINK, MOMENT, TEXT, WHOLE, many, shape
from postroad.foundation.rest.unchanged import while_unchanged
from postroad.foundation.rows import first

ROLES = tuple(Member.Role.values)
ACTIONS = ("hold", "reject", "discard", "accept", "defer")
MEMBER = shape(
    "Member", may_lack="last_bounce_received user moderation_action digest_frequency", address=LINK, bounce_score=WHOLE,
    last_bounce_received=MOMENT, last_warning_sent=MOMENT, total_warnings_sent=WHOLE, delivery_mode=TEXT, email=TEXT,
    list_id=TEXT, subscription_mode=TEXT, role=TEXT, user=LINK, moderation_action=TEXT, display_name=TEXT,
    self_link=LINK, member_id=IDENTIFIER, digest_frequency=TEXT,
)  # fmt: skip
PENDING = shape("Pending", token=TEXT, token_owner=TEXT)
"""What is given when the subscriber or a moderator has to say yes first."""
REMOVED = shape("Removed", open_=True)
NEVER_WARNED = "0001-01-01T00:00:00"


def shown(request: HttpRequest, wanted: frozenset[str] | None = None) -> Callable[[RosterRow], Json]:
    """How a membership is shown to this client; keys without a value are left out, and all that are not `wanted`."""
    base = link(request, "")
    as_number = version_of(request) == "3.0"

    def show(row: RosterRow) -> Json:
        identifier = int(row.uuid, 16) if as_number else row.uuid
        resource: Json = {
            "address": f"{base}addresses/{escaped(row.email)}",
            "bounce_score": row.bounce_score,
            "last_warning_sent": NEVER_WARNED,
            "total_warnings_sent": row.total_warnings_sent,
            "delivery_mode": row.delivery_mode,
            "email": row.email,
            "list_id": row.list_id,
            "subscription_mode": row.subscription_mode,
            "role": row.role,
            "display_name": row.display_name,
            "self_link": f"{base}members/{identifier}",
            "member_id": identifier,
        }
        if row.last_warning_sent is not None:
            resource["last_warning_sent"] = moment(row.last_warning_sent)
        if row.last_bounce_received is not None:
            resource["last_bounce_received"] = moment(row.last_bounce_received)
        if row.user_uuid is not None:
            resource["user"] = f"{base}users/{int(row.user_uuid, 16) if as_number else row.user_uuid}"
        if row.moderation_action is not None:
            resource["moderation_action"] = row.moderation_action
        if row.digest_frequency is not None:
            resource["digest_frequency"] = row.digest_frequency
        return resource if wanted is None else {key: value for key, value in resource.items() if key in wanted}

    return show


def find_member(request: HttpRequest, member_id: str) -> Member:
    """The membership of this identifier.

    Raises:
        NotFound: there is none, or it is no identifier.
    """
    uuid = uuid_in(request, member_id)
    rows = Member.objects.select_related("mailing_list", "address__user", "user__preferred_address")
    return found(rows.filter(uuid=uuid).first() if uuid else None)


def _preferences_of(request: HttpRequest, member_id: str) -> Preferences:
    uuid = found(uuid_in(request, member_id))
    return found(first(Member, "uuid = %s", uuid.hex))


def _list_of_member(request: HttpRequest, arguments: dict[str, Any]) -> str | None:
    """For the caller's rights: the list of the membership the call is about."""
    try:
        return find_member(request, arguments["member_id"]).mailing_list.list_id
    except NotFound:
        return None


def _list_named(request: HttpRequest, arguments: dict[str, Any]) -> str | None:
    """For the caller's rights: the list the call names in its fields."""
    list_id = given(request).get("list_id")
    return list_id if isinstance(list_id, str) else None


def _page(request: HttpRequest, selection: Selection, of_list: str | None = None) -> HttpResponse:
    wanted = fields_asked(request, MEMBER.keys)
    start, count = page_of(request)
    rows, total = rosters.roster(selection, start, count)
    if not total and of_list is not None:
        found(list_key(of_list))  # Where nobody is, there may be no list.
    show = shown(request, wanted)
    return collection([show(row) for row in rows], start, total)


def _show_members(request: HttpRequest) -> HttpResponse:
    """Every owner, moderator and member, by list, role and address."""
    return _page(request, Selection(roles=("owner", "moderator", "member")))


def _show_roster(request: HttpRequest, list_id: str, role: str) -> HttpResponse:
    """Who is on a list in one role."""
    return _page(request, _in_role_of(list_id, role), list_id)


def _in_role_of(list_id: str, role: str) -> Selection:
    """Who is on a list in one role; a list-id is looked up by the question for them."""
    if "@" in list_id:
        return Selection(mailing_list=found(list_key(list_id)), roles=(role,))
    return Selection(list_id=list_id.lower(), roles=(role,))


def _empty_roster(request: HttpRequest, values: Values, list_id: str, role: str) -> HttpResponse:
    """End the memberships of many addresses without any mail; tells for each whether there was one."""
    return ok(dict(actions.remove_members(find_list(list_id), values["emails"])))


_MODES = {
    "delivery_mode": fields.choice(*Preferences.DeliveryMode.values),
    "delivery_status": fields.choice(*Preferences.DeliveryStatus.values),
    "role": fields.choice(*ROLES),
}
_JOIN = {
    **_MODES,
    "display_name": fields.line,
    "pre_verified": fields.boolean,
    "pre_confirmed": fields.boolean,
    "pre_approved": fields.boolean,
    "invitation": fields.boolean,
    "send_welcome_message": fields.boolean,
}


def _make_member(request: HttpRequest, values: Values) -> HttpResponse:
    """Subscribe an address or a user in a role, as far as the list's policy allows."""
    try:
        mailing_list = find_list(values.pop("list_id"))
    except NotFound:
        raise BadInput("No such list") from None
    if values.get("display_name") == "None":
        del values["display_name"]  # Seen in practice: mailmanclient sends Python's None as text.
    subscriber = values.pop("subscriber")
    if "@" not in subscriber:
        subscriber = uuid_in(request, subscriber)
        if subscriber is None:
            raise BadInput('Invalid Parameter "subscriber": neither an address nor a user.')
    return _came_of_it(request, actions.join_or_undo(mailing_list, subscriber, **values))


def _came_of_it(request: HttpRequest, outcome: actions.Outcome) -> HttpResponse:
    if outcome.member is not None:
        return created(request, f"members/{uuid_out(request, outcome.member.uuid)}")
    return ok({"token": outcome.token, "token_owner": outcome.token_owner}, status=202)


def _show_member(request: HttpRequest, member_id: str) -> HttpResponse:
    """One membership."""
    return _only(request, Selection(uuid=found(uuid_in(request, member_id)).hex))


def _only(request: HttpRequest, selection: Selection) -> HttpResponse:
    return ok(shown(request)(found(rosters.only(selection))))


def _change_member(request: HttpRequest, values: Values, member_id: str) -> HttpResponse:
    """Change a membership's address, delivery mode, digest frequency or moderation action."""
    actions.change_member(find_member(request, member_id), **values)
    return done()


def _end_member(request: HttpRequest, values: Values, member_id: str) -> HttpResponse:
    """End a membership, as far as the list's policy allows."""
    return _ended(find_member(request, member_id), values)


def _ended(member: Member, values: Values) -> HttpResponse:
    outcome = actions.leave(member, **{"pre_confirmed": True, "pre_approved": False, **values})
    if outcome.token is None:
        return done()
    return ok({"token": outcome.token, "token_owner": outcome.token_owner}, status=202)


def _in_role(list_id: str, role: str, email: str) -> Member:
    return found(queries.member_of(find_list(list_id), email, role))


def _show_in_role(request: HttpRequest, list_id: str, role: str, email: str) -> HttpResponse:
    """One membership, by list, role and address."""
    return _only(request, _in_role_of(list_id, role).narrowed(email=identity(email)))


def _change_in_role(request: HttpRequest, values: Values, list_id: str, role: str, email: str) -> HttpResponse:
    """Change a membership, named by list, role and address."""
    actions.change_member(_in_role(list_id, role, email), **values)
    return done()


def _end_in_role(request: HttpRequest, values: Values, list_id: str, role: str, email: str) -> HttpResponse:
    """End a membership, named by list, role and address."""
    return _ended(_in_role(list_id, role, email), values)


_FIND = {
    **_MODES,
    **PAGE,
    "list_id": fields.line,
    "subscriber": fields.line,
    "moderation_action": fields.choice(*ACTIONS, blank=True),
    "fields": fields.lines,
}


def _find_members(request: HttpRequest, values: Values) -> HttpResponse:
    """Memberships that fit; `subscriber` is an address or name with `*` for anything, or a user's identifier."""
    conditions = {name: value for name, value in values.items() if name not in ("page", "count", "fields")}
    if not conditions:
        fields_asked(request, MEMBER.keys)
        return collection([], page_of(request)[0], 0)
    if "role" in conditions:
        conditions["roles"] = (conditions.pop("role"),)
    user = _user_named(request, conditions.get("subscriber", ""))
    if user is not None:
        conditions |= {"user": user, "subscriber": None}
    return _page(request, Selection(by_address=True).narrowed(**conditions))


def _user_named(request: HttpRequest, subscriber: str) -> int | None:
    uuid = uuid_in(request, subscriber) if subscriber and "@" not in subscriber else None
    user = find_user(uuid) if uuid else None
    return user.pk if user else None


def _find_lists(request: HttpRequest, values: Values) -> HttpResponse:
    """The lists an address or user is on, each once."""
    subscriber = values["subscriber"]
    if "@" not in subscriber:
        subscriber = found(uuid_in(request, subscriber))
    pks = queries.lists_of(subscriber, values.get("role"))
    if not pks:
        raise NotFound("404 Not Found")
    return show_lists(request, MailingList.objects.filter(pk__in=pks))


def _show_effective(request: HttpRequest, member_id: str) -> HttpResponse:
    """What holds for a member: own preferences, else the address's, the user's, the site's."""
    member = find_member(request, member_id)
    path = f"members/{member_id}/all/preferences"
    return ok({**queries.effective_preferences(member), "self_link": link(request, path)})


def _show_memberships(request: HttpRequest, email: str) -> HttpResponse:
    """The memberships of an address, and of its user while mail for the user goes to it."""
    return _page(request, Selection(email=find_address(email).email, by_address=True))


_CHANGED = {
    "address": fields.email,
    "delivery_mode": _MODES["delivery_mode"],
    "digest_frequency": fields.choice(*Member.DigestFrequency.values, blank=True),
    "moderation_action": fields.choice(*ACTIONS, blank=True),
}
_LEAVE = {"pre_confirmed": fields.boolean, "pre_approved": fields.boolean}
_WAITS = {202: PENDING}
_CONFLICT = {409: "subscribed already, or such a request waits"}
_FIELDS = {"fields": fields.lines}

members = endpoint(
    concerns=_list_named,
    get=shows(while_unchanged(_show_members), many(MEMBER), paged=True, optional=_FIELDS),
    post=takes(
        _make_member,
        {"list_id": fields.line, "subscriber": fields.subscriber},
        _JOIN,
        status=201,
        other={**_WAITS, **_CONFLICT},
    ),
)
_finding = asks(_find_members, None, _FIND, many(MEMBER))
members_find = endpoint(concerns=_list_named, get=_finding, post=_finding)
member = endpoint(
    concerns=_list_of_member,
    get=shows(_show_member, MEMBER),
    patch=takes(_change_member, None, _CHANGED),
    delete=takes(_end_member, None, _LEAVE, other=_WAITS),
)
member_preferences = preferences_endpoint("members/{member_id}/preferences", _preferences_of, _list_of_member)
member_all_preferences = endpoint(concerns=_list_of_member, get=shows(_show_effective, PREFERENCES))
roster = endpoint(
    get=shows(while_unchanged(_show_roster), many(MEMBER), paged=True, optional=_FIELDS),
    delete=takes(_empty_roster, {"emails": fields.lines}, status=200, gives=REMOVED),
)
member_in_role = endpoint(
    get=shows(_show_in_role, MEMBER),
    patch=takes(_change_in_role, None, _CHANGED),
    delete=takes(_end_in_role, None, _LEAVE, other=_WAITS),
)
_list_finding = asks(
    _find_lists,
    {"subscriber": fields.subscriber},
    {"role": _MODES["role"], **PAGE},
    many(LIST),
    other={404: "the subscriber is on no list"},
)
lists_find = endpoint(get=_list_finding, post=_list_finding)
address_memberships = endpoint(get=shows(_show_memberships, many(MEMBER), paged=True, optional=_FIELDS))
