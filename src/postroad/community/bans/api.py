"""REST 3.1 of bans, of a list and of the whole site (facts: REST 3.1 §16)."""

from urllib.parse import quote_plus

from django.http import HttpRequest, HttpResponse

from postroad.community.bans import actions, queries
from postroad.community.bans.models import Ban
from postroad.community.lists.api import find_list
from postroad.community.lists.models import MailingList
from postroad.community.lists.values import email_or_pattern
from postroad.foundation.errors import Conflict, NotFound
from postroad.foundation.message.addresses import readable
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.fields import Field, line
from postroad.foundation.rest.operation import shows, takes
from postroad.foundation.rest.resource import Json, created_at, done, link, ok, paged
from postroad.foundation.rest.shapes import LINK, TEXT, many, shape

BAN = shape("Ban", may_lack="list_id", email=TEXT, self_link=LINK, list_id=TEXT)
_EMAIL = Field(lambda value: email_or_pattern(line(value)), line.schema)


def _scope(list_id: str | None) -> MailingList | None:
    return find_list(list_id) if list_id else None


def _place(request: HttpRequest, email: str, mailing_list: MailingList | None) -> str:
    bans = f"lists/{mailing_list.list_id}/bans" if mailing_list else "bans"
    return f"{link(request, bans)}/{quote_plus(email)}"


def _resource(request: HttpRequest, email: str, mailing_list: MailingList | None) -> Json:
    shown = email if email.startswith("^") else readable(email)
    found: Json = {"email": shown, "self_link": _place(request, email, mailing_list)}
    return found if mailing_list is None else {**found, "list_id": mailing_list.list_id}


def _show_all(request: HttpRequest, list_id: str | None = None) -> HttpResponse:
    """The bans of a list, or those of the whole site, by address."""
    mailing_list = _scope(list_id)

    def render(ban: Ban) -> Json:
        return _resource(request, ban.email, mailing_list)

    return paged(request, queries.find(mailing_list), render)


def _add(request: HttpRequest, values: Values, list_id: str | None = None) -> HttpResponse:
    """Ban an address, or all that match a pattern."""
    mailing_list = _scope(list_id)
    ban = actions.ban(values["email"], mailing_list)
    return created_at(_place(request, ban.email, mailing_list))


def _check_banned(email: str, mailing_list: MailingList | None) -> None:
    """Mailman's sense of a ban that exists: whoever is banned, by whichever ban.

    Raises:
        NotFound: nobody bans it.
    """
    if not queries.is_banned(email, mailing_list):
        raise NotFound(f"Email is not banned: {email}")


def _show(request: HttpRequest, email: str, list_id: str | None = None) -> HttpResponse:
    """Whether an address is banned, by whichever ban."""
    mailing_list = _scope(list_id)
    _check_banned(email, mailing_list)
    return ok(_resource(request, email, mailing_list))


def _lift(request: HttpRequest, values: Values, email: str, list_id: str | None = None) -> HttpResponse:
    """Lift exactly this ban; a wider one that holds instead is named, not lifted."""
    mailing_list = _scope(list_id)
    if not actions.lift(email, mailing_list):
        _check_banned(email, mailing_list)
        raise Conflict(f"{email} is banned by {queries.banning(email, mailing_list)}; delete that ban.")
    return done()


bans = endpoint(get=shows(_show_all, many(BAN), paged=True), post=takes(_add, {"email": _EMAIL}, status=201))
ban = endpoint(
    get=shows(_show, BAN), delete=takes(_lift, other={409: "banned by a pattern or for the whole site, not by itself"})
)
