"""REST 3.1 of domains and lists (facts: /domains, /lists, /lists/{l}/config)."""

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from postroad.community.lists import actions, queries
from postroad.community.lists.models import Domain, MailingList
from postroad.community.lists.register import all_settings, writable
from postroad.community.lists.styles import DEFAULT_STYLE, STYLES
from postroad.community.lists.values import from_wire, to_wire
from postroad.community.people import actions as people
from postroad.community.people.resource import user_resource
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.rest import body
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.resource import Json, created, done, link, ok, paged


def find_domain(mail_host: str) -> Domain:
    """The domain of this mail host.

    Raises:
        NotFound: there is none.
    """
    domain = Domain.objects.filter(mail_host=mail_host).first()
    if domain is None:
        raise NotFound("404 Not Found")
    return domain


def find_list(identifier: str) -> MailingList:
    """The list of this list-id or posting address.

    Raises:
        NotFound: there is none.
    """
    found = queries.find_list(identifier)
    if found is None:
        raise NotFound("404 Not Found")
    return found


# --- domains


def domain_resource(request: HttpRequest, domain: Domain) -> Json:
    """A domain as clients see it."""
    return {
        "alias_domain": domain.alias_domain,
        "base_url": domain.base_url,
        "description": domain.description,
        "mail_host": domain.mail_host,
        "self_link": link(request, f"domains/{domain.mail_host}"),
    }


_DOMAIN_FIELDS: dict[str, body.Converter] = {
    "alias_domain": body.text,
    "base_url": body.text,
    "description": body.text,
    "owner": body.emails,
}


def _show_domains(request: HttpRequest) -> HttpResponse:
    rows = Domain.objects.order_by("mail_host")
    return paged(request, rows, lambda domain: domain_resource(request, domain))


def _make_domain(request: HttpRequest) -> HttpResponse:
    values = body.read(request, {"mail_host": body.text}, _DOMAIN_FIELDS)
    owners = values.pop("owner", [])
    domain = actions.create_domain(values.pop("mail_host"), **values)
    _add_owners(domain, owners)
    return created(request, f"domains/{domain.mail_host}")


def _add_owners(domain: Domain, emails: list[str]) -> None:
    for email in emails:
        domain.owners.add(people.ensure_user(email))


def _show_domain(request: HttpRequest, mail_host: str) -> HttpResponse:
    return ok(domain_resource(request, find_domain(mail_host)))


def _change_domain(request: HttpRequest, mail_host: str) -> HttpResponse:
    domain = find_domain(mail_host)
    whole = request.method == "PUT"
    values = body.read(request, _DOMAIN_FIELDS if whole else {}, {} if whole else _DOMAIN_FIELDS)
    _add_owners(domain, values.pop("owner", []))
    actions.change_domain(domain, **values)
    return done()


def _delete_domain(request: HttpRequest, mail_host: str) -> HttpResponse:
    actions.delete_domain(find_domain(mail_host))
    return done()


def _show_domain_lists(request: HttpRequest, mail_host: str) -> HttpResponse:
    return _lists(request, MailingList.objects.filter(domain=find_domain(mail_host)))


def _show_domain_owners(request: HttpRequest, mail_host: str) -> HttpResponse:
    owners = find_domain(mail_host).owners.order_by("pk")
    return paged(request, owners, lambda user: user_resource(request, user))


def _post_domain_owners(request: HttpRequest, mail_host: str) -> HttpResponse:
    _add_owners(find_domain(mail_host), body.read(request, {"owner": body.emails})["owner"])
    return done()


def _delete_domain_owners(request: HttpRequest, mail_host: str) -> HttpResponse:
    body.read(request)
    find_domain(mail_host).owners.clear()
    return done()


# --- lists


def list_resource(request: HttpRequest, mailing_list: MailingList) -> Json:
    """A list as clients see it; `member_count` is annotated by the query."""
    settings = all_settings()
    return {
        "advertised": mailing_list.advertised,
        "description": settings["description"].of(mailing_list),
        "display_name": settings["display_name"].of(mailing_list),
        "fqdn_listname": mailing_list.fqdn_listname,
        "list_id": mailing_list.list_id,
        "list_name": mailing_list.list_name,
        "mail_host": mailing_list.mail_host,
        "member_count": getattr(mailing_list, "member_count", 0),
        "self_link": link(request, f"lists/{mailing_list.list_id}"),
        "volume": mailing_list.volume,
    }


def counted(rows: "QuerySet[MailingList]") -> "QuerySet[MailingList]":
    """Lists with their number of members, in the collection's order."""
    return rows.annotate(member_count=Count("members", filter=Q(members__role="member"))).order_by("list_id")


def _lists(request: HttpRequest, rows: "QuerySet[MailingList]") -> HttpResponse:
    if "advertised" in request.GET and body.boolean(request.GET["advertised"]):
        rows = rows.filter(advertised=True)
    return paged(request, counted(rows), lambda row: list_resource(request, row), rows.count)


def _show_lists(request: HttpRequest) -> HttpResponse:
    return _lists(request, MailingList.objects.all())


def _make_list(request: HttpRequest) -> HttpResponse:
    values = body.read(request, {"fqdn_listname": body.text}, {"style_name": body.text})
    made = actions.create_list(values["fqdn_listname"], values.get("style_name") or DEFAULT_STYLE)
    return created(request, f"lists/{made.list_id}")


def _show_list(request: HttpRequest, list_id: str) -> HttpResponse:
    found = find_list(list_id)
    return ok(list_resource(request, counted(MailingList.objects.filter(pk=found.pk)).get()))


def _delete_list(request: HttpRequest, list_id: str) -> HttpResponse:
    actions.delete_list(find_list(list_id))
    return done()


def _show_styles(request: HttpRequest) -> HttpResponse:
    styles = [{"name": style.name, "description": style.description} for style in STYLES.values()]
    return ok({"style_names": sorted(STYLES), "styles": styles, "default": DEFAULT_STYLE})


# --- configuration


def _show_config(request: HttpRequest, list_id: str) -> HttpResponse:
    found = find_list(list_id)
    return ok(
        {name: to_wire(setting, setting.of(found)) for name, setting in all_settings().items() if setting.exposed}
    )


def _write_config(request: HttpRequest, list_id: str) -> HttpResponse:
    found = find_list(list_id)
    values = body.given(request)
    if request.method == "PATCH":
        _refuse_unwritable(values)
        converters = {name: _converter(name) for name in values}
        actions.change_settings(found, body.check(values, {}, converters))
        return done()
    required = {name: _converter(name) for name, setting in writable().items() if setting.exposed}
    actions.change_settings(found, body.check(values, required, {}))
    return done()


def _refuse_unwritable(values: dict[str, Any]) -> None:
    for name in values:
        setting = all_settings().get(name)
        if setting is None or not setting.exposed:
            raise BadInput(f"Unknown attribute: {name}")
        if setting.read_only:
            raise BadInput(f"Read-only attribute: {name}")


def _converter(name: str) -> body.Converter:
    setting = all_settings()[name]
    return lambda value: from_wire(setting, value)


def _show_attribute(request: HttpRequest, list_id: str, attribute: str) -> HttpResponse:
    found = find_list(list_id)
    setting = all_settings().get(attribute)
    if setting is None or not setting.exposed:
        raise NotFound("404 Not Found")
    return ok({attribute: to_wire(setting, setting.of(found))})


def _write_attribute(request: HttpRequest, list_id: str, attribute: str) -> HttpResponse:
    found = find_list(list_id)
    values = body.given(request)
    _refuse_unwritable({attribute: None})
    if len(values) > 1:
        raise BadInput("Expected 1 attribute")
    _refuse_unwritable(values)
    if set(values) != {attribute}:
        raise BadInput(f"Missing Parameter: {attribute}")
    actions.change_settings(found, body.check(values, {attribute: _converter(attribute)}, {}))
    return done()


def _clear_attribute(request: HttpRequest, list_id: str, attribute: str) -> HttpResponse:
    found = find_list(list_id)
    _refuse_unwritable({attribute: None})
    if attribute != "acceptable_aliases":
        raise BadInput(f"Attribute cannot be DELETEd: {attribute}")
    actions.change_settings(found, {attribute: []})
    return done()


def _refuse_delete(request: HttpRequest, list_id: str) -> HttpResponse:
    raise BadInput("The configuration of a list cannot be deleted; DELETE the list, or one attribute.")


domains = endpoint(get=_show_domains, post=_make_domain)
domain = endpoint(get=_show_domain, put=_change_domain, patch=_change_domain, delete=_delete_domain)
domain_lists = endpoint(get=_show_domain_lists)
domain_owners = endpoint(get=_show_domain_owners, post=_post_domain_owners, delete=_delete_domain_owners)
lists = endpoint(get=_show_lists, post=_make_list)
list_ = endpoint(get=_show_list, delete=_delete_list)
styles = endpoint(get=_show_styles)
config = endpoint(get=_show_config, put=_write_config, patch=_write_config, delete=_refuse_delete)
config_attribute = endpoint(get=_show_attribute, put=_write_attribute, patch=_write_attribute, delete=_clear_attribute)
