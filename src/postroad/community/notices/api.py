"""REST of templates kept behind URIs: /uris of the site, of a domain, of a list (facts: 3.1 only)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.api import find_list
from postroad.community.lists.domains_api import find_domain
from postroad.community.notices import template_uris
from postroad.community.notices.models import TemplateUri
from postroad.foundation.rest import body, fields
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import Endpoint, endpoint
from postroad.foundation.rest.operation import reads, shows, takes
from postroad.foundation.rest.resource import Json, done, found, link, ok, paged, without_nulls
from postroad.foundation.rest.shapes import LINK, TEXT, Schema, many, shape

TEMPLATE = shape(
    "Template", may_lack="username password", uri=TEXT, name=TEXT, self_link=LINK, username=TEXT, password=TEXT
)
TEMPLATE_URI = shape("TemplateUri", uri=TEXT, self_link=LINK)
_CREDENTIAL = {"username": fields.line, "password": fields.line}

Scope = Callable[..., tuple[str, str]]
"""From the parts of an address: the context of `template_uris`, and the path of its collection."""


def _site() -> tuple[str, str]:
    return "", "uris"


def _domain(mail_host: str) -> tuple[str, str]:
    host = find_domain(mail_host).mail_host
    return host, f"domains/{host}/uris"


def _list(list_id: str) -> tuple[str, str]:
    identifier = find_list(list_id).list_id
    return f"list:{identifier}", f"lists/{identifier}/uris"


def _collection(scope: Scope, kind: str = "") -> Endpoint:
    def show(request: HttpRequest, **key: str) -> HttpResponse:
        """The templates that are set here, by name."""
        context, path = scope(**key)
        rows = template_uris.uris_of(context)
        return paged(request, rows, lambda row: _resource(request, path, row), self_link=link(request, path))

    def write(request: HttpRequest, **key: str) -> HttpResponse:
        """Set templates by name; PUT names all of them, an empty URI ends one."""
        context, _ = scope(**key)
        names = dict.fromkeys(template_uris.names_of(context), fields.address)
        whole = request.method == "PUT"
        values = body.read(request, names if whole else {}, {**_CREDENTIAL, **({} if whole else names)})
        _set(context, values)
        return done()

    def clear(request: HttpRequest, values: Values, **key: str) -> HttpResponse:
        """Forget every template that is set here."""
        template_uris.forget_uris(scope(**key)[0])
        return done()

    written = reads(write, lambda: _taken(kind))
    return endpoint(
        get=shows(show, many(TEMPLATE), paged=True), put=written, patch=written, delete=takes(clear)
    )  # fmt: skip


def _single(scope: Scope, kind: str = "") -> Endpoint:
    def show(request: HttpRequest, template: str, **key: str) -> HttpResponse:
        """Where one template is fetched from."""
        context, path = scope(**key)
        row = found(template_uris.uris_of(context).filter(name=template).first())
        return ok({"uri": row.uri, "self_link": link(request, f"{path}/{template}")})

    def write(request: HttpRequest, template: str, **key: str) -> HttpResponse:
        """Set where one template is fetched from; the field has the template's name."""
        context, _ = scope(**key)
        found(template if template in template_uris.names_of(context) else None)
        named = {template: fields.address}
        whole = request.method == "PUT"
        _set(context, body.read(request, named if whole else {}, {**_CREDENTIAL, **named}))
        return done()

    def clear(request: HttpRequest, values: Values, template: str, **key: str) -> HttpResponse:
        """Forget one template, whether it is set or not."""
        context, _ = scope(**key)
        found(template if template in template_uris.names_of(context) else None)
        template_uris.forget_uris(context, template)
        return done()

    written = reads(write, lambda: _taken(kind))
    return endpoint(get=shows(show, TEMPLATE_URI), put=written, patch=written, delete=takes(clear))


def _set(context: str, values: Values) -> None:
    username, password = values.pop("username", None), values.pop("password", None)
    template_uris.set_uris(context, values, username, password)


def _taken(kind: str) -> Schema:
    """What a write to a scope of this kind takes, as JSON Schema."""
    names = dict.fromkeys(template_uris.names_of(kind), fields.address.schema)
    names |= {name: field.schema for name, field in _CREDENTIAL.items()}
    return {"type": "object", "properties": names, "additionalProperties": False}


def _resource(request: HttpRequest, path: str, row: TemplateUri) -> Json:
    resource = {
        "uri": row.uri,
        "name": row.name,
        "self_link": link(request, f"{path}/{row.name}"),
        "username": row.username,
        "password": row.password,
    }
    return without_nulls(resource)


site_uris, site_uri = _collection(_site), _single(_site)
domain_uris, domain_uri = _collection(_domain), _single(_domain)
list_uris, list_uri = _collection(_list, "list:"), _single(_list, "list:")
