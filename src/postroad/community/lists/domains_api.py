"""REST of domains: what they are called, who owns them, which lists they have (facts: /domains)."""

from django.http import HttpRequest, HttpResponse

from postroad.community.lists import actions, queries
from postroad.community.lists.api import LIST, show_lists_of
from postroad.community.lists.models import Domain
from postroad.community.people import actions as people
from postroad.community.people.resource import USER, user_resource
from postroad.foundation.rest import fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import changes, shows, takes
from postroad.foundation.rest.resource import Json, created, done, found, link, ok, paged
from postroad.foundation.rest.shapes import LINK, TEXT, TEXT_OR_NULL, many, shape

DOMAIN = shape(
    "Domain", alias_domain=TEXT_OR_NULL, base_url=TEXT_OR_NULL, description=TEXT_OR_NULL, mail_host=TEXT, self_link=LINK
)
_FIELDS = {
    "alias_domain": fields.line_or_null,
    "base_url": fields.url_or_null,
    "description": fields.text_or_null,
    "owner": fields.emails,
}


def find_domain(mail_host: str) -> Domain:
    """The domain of this mail host.

    Raises:
        NotFound: there is none.
    """
    return found(queries.find_domain(mail_host))


def _resource(request: HttpRequest, domain: Domain) -> Json:
    return {
        "alias_domain": domain.alias_domain,
        "base_url": domain.base_url,
        "description": domain.description,
        "mail_host": domain.mail_host,
        "self_link": link(request, f"domains/{domain.mail_host}"),
    }


def _show_all(request: HttpRequest) -> HttpResponse:
    """Every domain, by mail host."""
    return paged(request, Domain.objects.order_by("mail_host"), lambda domain: _resource(request, domain))


def _make(request: HttpRequest, values: Values) -> HttpResponse:
    """Make a domain; owners nobody knew become users."""
    owners = values.pop("owner", [])
    domain = actions.create_domain(values.pop("mail_host"), **values)
    _add_owners(domain, owners)
    return created(request, f"domains/{domain.mail_host}")


def _add_owners(domain: Domain, emails: list[str]) -> None:
    domain.owners.add(*(people.ensure_user(email) for email in emails))


def _show(request: HttpRequest, mail_host: str) -> HttpResponse:
    """One domain."""
    return ok(_resource(request, find_domain(mail_host)))


def _change(request: HttpRequest, values: Values, mail_host: str) -> HttpResponse:
    """Change a domain; owners that are named are added to those there are."""
    domain = find_domain(mail_host)
    _add_owners(domain, values.pop("owner", []))
    actions.change_domain(domain, **values)
    return done()


def _delete(request: HttpRequest, values: Values, mail_host: str) -> HttpResponse:
    """Delete a domain with all of its lists."""
    actions.delete_domain(find_domain(mail_host))
    return done()


def _show_lists(request: HttpRequest, mail_host: str) -> HttpResponse:
    """The lists of a domain."""
    return show_lists_of(request, queries.lists_of_domain(find_domain(mail_host)))


def _show_owners(request: HttpRequest, mail_host: str) -> HttpResponse:
    """The users who own a domain."""
    return paged(request, find_domain(mail_host).owners.order_by("pk"), lambda user: user_resource(request, user))


def _post_owners(request: HttpRequest, values: Values, mail_host: str) -> HttpResponse:
    """Add owners to a domain; who is unknown becomes a user."""
    _add_owners(find_domain(mail_host), values["owner"])
    return done()


def _delete_owners(request: HttpRequest, values: Values, mail_host: str) -> HttpResponse:
    """Let a domain have no owner."""
    find_domain(mail_host).owners.clear()
    return done()


domains = endpoint(
    get=shows(_show_all, many(DOMAIN), paged=True),
    post=takes(_make, {"mail_host": fields.line}, _FIELDS, status=201),
)
domain = endpoint(changes(_change, _FIELDS), get=shows(_show, DOMAIN), delete=takes(_delete))
domain_lists = endpoint(get=shows(_show_lists, many(LIST), paged=True, optional={"advertised": fields.boolean}))
domain_owners = endpoint(
    get=shows(_show_owners, many(USER), paged=True),
    post=takes(_post_owners, {"owner": fields.emails}),
    delete=takes(_delete_owners),
)
