"""REST of lists: making, showing, finding and deleting them, their styles and archivers (facts: /lists)."""

import functools

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from postroad.community.lists import actions, queries
from postroad.community.lists.archivers import switches
from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.community.lists.styles import DEFAULT_STYLE, STYLES
from postroad.foundation.rest import body, fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import reads, shows, takes
from postroad.foundation.rest.resource import Json, created, done, found, link, ok, paged
from postroad.foundation.rest.shapes import LINK, TEXT, TEXTS, TRUTH, WHOLE, many, shape
from postroad.foundation.rest.unchanged import while_unchanged

LIST = shape(
    "List", advertised=TRUTH, description=TEXT, display_name=TEXT, fqdn_listname=TEXT, list_id=TEXT, list_name=TEXT,
    mail_host=TEXT, member_count=WHOLE, self_link=LINK, volume=WHOLE,
)  # fmt: skip
STYLES_SHAPE = shape("Styles", style_names=TEXTS, styles={"type": "array", "items": {"type": "object"}}, default=TEXT)
ARCHIVERS_SHAPE = shape("Archivers", open_=True)


def find_list(identifier: str) -> MailingList:
    """The list of this list-id or posting address.

    Raises:
        NotFound: there is none.
    """
    return found(queries.find_list(identifier))


def list_resource(request: HttpRequest, mailing_list: MailingList) -> Json:
    """A list as clients see it; its members are counted already."""
    settings = all_settings()
    return {
        "advertised": mailing_list.advertised,
        "description": settings["description"].of(mailing_list),
        "display_name": settings["display_name"].of(mailing_list),
        "fqdn_listname": mailing_list.fqdn_listname,
        "list_id": mailing_list.list_id,
        "list_name": mailing_list.list_name,
        "mail_host": mailing_list.mail_host,
        "member_count": mailing_list.member_count,
        "self_link": link(request, f"lists/{mailing_list.list_id}"),
        "volume": mailing_list.volume,
    }


def show_lists(request: HttpRequest, rows: "QuerySet[MailingList]") -> HttpResponse:
    """These lists as a collection by list-id, each with its number of members."""
    show = functools.partial(list_resource, request)
    return paged(request, rows.order_by("list_id"), show, fetched=queries.count_members)


def show_lists_of(request: HttpRequest, rows: "QuerySet[MailingList]") -> HttpResponse:
    """These lists as a collection; only the advertised ones when the client asks for them."""
    asked = body.given(request).get("advertised")
    if asked is not None and fields.boolean(asked):
        rows = rows.filter(advertised=True)
    return show_lists(request, rows)


def _show_all(request: HttpRequest) -> HttpResponse:
    """Every list, or every advertised one."""
    return show_lists_of(request, MailingList.objects.all())


def _make(request: HttpRequest, values: Values) -> HttpResponse:
    """Make a list in a domain that exists."""
    made = actions.create_list(values["fqdn_listname"], values.get("style_name") or DEFAULT_STYLE)
    return created(request, f"lists/{made.list_id}")


def _show(request: HttpRequest, list_id: str) -> HttpResponse:
    """One list."""
    mailing_list = find_list(list_id)
    queries.count_members([mailing_list])
    return ok(list_resource(request, mailing_list))


def _delete(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """Delete a list with its members, requests and settings."""
    actions.delete_list(find_list(list_id))
    return done()


def _show_styles(request: HttpRequest) -> HttpResponse:
    """The styles a list can be made in."""
    styles = [{"name": style.name, "description": style.description} for style in STYLES.values()]
    return ok({"style_names": sorted(STYLES), "styles": styles, "default": DEFAULT_STYLE})


def _show_archivers(request: HttpRequest, list_id: str) -> HttpResponse:
    """Which archivers the list's posts go to."""
    return ok(dict(switches(find_list(list_id))))


def _write_archivers(request: HttpRequest, list_id: str) -> HttpResponse:
    """Switch archivers on or off; PUT names all of them."""
    mailing_list = find_list(list_id)
    known = dict.fromkeys(switches(mailing_list), fields.boolean)
    values = body.read(request, known if request.method == "PUT" else {}, known)
    actions.set_archivers(mailing_list, values)
    return done()


lists = endpoint(
    get=shows(while_unchanged(_show_all), many(LIST), paged=True, optional={"advertised": fields.boolean}),
    post=takes(_make, {"fqdn_listname": fields.line}, {"style_name": fields.line}, status=201),
)
list_ = endpoint(get=shows(_show, LIST), delete=takes(_delete))
styles = endpoint(get=shows(_show_styles, STYLES_SHAPE))
_archivers_written = reads(_write_archivers, lambda: {"type": "object", "additionalProperties": {"type": "boolean"}})
archivers = endpoint(get=shows(_show_archivers, ARCHIVERS_SHAPE), put=_archivers_written, patch=_archivers_written)
