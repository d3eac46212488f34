"""REST 3.0 of a list's settings: those of 3.1, and six templates' URIs as attributes."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from postroad.community.lists.api import find_list
from postroad.community.lists.config_api import (
    ATTRIBUTE,
    config,
    config_attribute,
    configuration_of,
    shown,
    taken,
    write_settings,
)
from postroad.community.lists.models import MailingList
from postroad.community.notices import template_uris
from postroad.foundation.errors import BadInput
from postroad.foundation.rest import body, fields
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.operation import reads, shows
from postroad.foundation.rest.resource import Json, done, ok
from postroad.foundation.rest.shapes import TEXT, Schema, Shape

TEMPLATES: Mapping[str, str] = {
    "digest_footer_uri": "list:member:digest:footer",
    "digest_header_uri": "list:member:digest:header",
    "footer_uri": "list:member:regular:footer",
    "goodbye_message_uri": "list:user:notice:goodbye",
    "header_uri": "list:member:regular:header",
    "welcome_message_uri": "list:user:notice:welcome",
}
"""Attribute to template. Mailman writes four of them under names that no mail of its own reads."""


def _uris(mailing_list: MailingList) -> Json:
    stored = dict(template_uris.uris_of(mailing_list.list_id).values_list("name", "uri"))
    return {attribute: stored.get(template, "") for attribute, template in TEMPLATES.items()}


def _set_uris(mailing_list: MailingList, values: Mapping[str, object]) -> None:
    uris = {TEMPLATES[name]: fields.address(value) for name, value in values.items()}
    template_uris.set_uris(f"list:{mailing_list.list_id}", uris)


def _show(request: HttpRequest, list_id: str) -> HttpResponse:
    """All settings of a list, with the URIs of its templates."""
    mailing_list = find_list(list_id)
    return ok({**configuration_of(mailing_list), **_uris(mailing_list)})


def _write(request: HttpRequest, list_id: str) -> HttpResponse:
    """Set settings of a list; PUT names every writable one, URIs may be left out."""
    mailing_list = find_list(list_id)
    values = body.given(request)
    uris = {name: values.pop(name) for name in TEMPLATES if name in values}
    write_settings(mailing_list, values, whole=request.method == "PUT")
    _set_uris(mailing_list, uris)
    return done()


def _show_one(request: HttpRequest, list_id: str, attribute: str) -> HttpResponse:
    """One setting, or the URI of one template."""
    if attribute in TEMPLATES:
        return ok({attribute: _uris(find_list(list_id))[attribute]})
    return config_attribute.operations["get"].view(request, list_id=list_id, attribute=attribute)


def _write_one(request: HttpRequest, list_id: str, attribute: str) -> HttpResponse:
    """Set one setting, or the URI of one template."""
    if attribute not in TEMPLATES:
        return config_attribute.operations["put"].view(request, list_id=list_id, attribute=attribute)
    values = body.given(request)
    if set(values) != {attribute}:
        raise BadInput(f"Expected 1 attribute: {attribute}")
    _set_uris(find_list(list_id), values)
    return done()


def _shown() -> Mapping[str, Schema]:
    return {**shown(), **dict.fromkeys(TEMPLATES, TEXT)}


def _taken() -> Schema:
    described = taken()
    return {**described, "properties": {**described["properties"], **dict.fromkeys(TEMPLATES, TEXT)}}


CONFIG = Shape("ListConfiguration", {}, late=_shown)
_written = reads(_write, _taken)
_one_written = reads(_write_one, _taken)
config_3_0 = endpoint(
    get=shows(_show, CONFIG), put=_written, patch=_written, delete=config.operations["delete"]
)  # fmt: skip
config_attribute_3_0 = endpoint(
    get=shows(_show_one, ATTRIBUTE), put=_one_written, patch=_one_written, delete=config_attribute.operations["delete"]
)
