"""REST of a list's settings: all of them, or one (facts: /lists/{l}/config). Which there are, the register says."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from postroad.community.lists import actions, queries
from postroad.community.lists.api import find_list
from postroad.community.lists.models import MailingList
from postroad.community.lists.register import Setting, all_settings
from postroad.community.lists.values import from_wire, to_wire
from postroad.foundation.errors import BadInput, NotFound
from postroad.foundation.rest import body
from postroad.foundation.rest.body import Values
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.fields import ONE_LINE, Field
from postroad.foundation.rest.operation import reads, shows, takes
from postroad.foundation.rest.resource import Json, again, done, ok, without_label
from postroad.foundation.rest.shapes import Schema, Shape, shape

_SCHEMAS: Mapping[str, Schema] = {
    "line": {"type": "string", **ONE_LINE},
    "bool": {"type": "boolean"},
    "int": {"type": "integer", "minimum": 0},
    "float": {"type": "number", "minimum": 0},
    "duration": {"type": "string", "description": "such as 7d, 12h or 1w2d"},
}
_LISTS = ("strings", "emails_or_patterns", "emails_or_patterns_or_lists", "aliases")


def schema_of(setting: Setting[Any]) -> Schema:
    """What a setting takes, as JSON Schema."""
    schema = _schema_of(setting)
    return {"anyOf": [schema, {"type": "null"}]} if setting.nullable or setting.read_only else schema


def _schema_of(setting: Setting[Any]) -> Schema:
    if setting.choices:
        return {"enum": list(setting.choices)}
    if setting.kind in _LISTS:
        return {"type": "array", "items": {"type": "string", **ONE_LINE}}
    return _SCHEMAS.get(setting.kind, {"type": "string"})


def exposed() -> Mapping[str, Setting[Any]]:
    """The settings that are attributes of REST, by name."""
    return {name: setting for name, setting in all_settings().items() if setting.exposed}


def taken() -> Schema:
    """What a write takes, as JSON Schema."""
    writable = {name: schema_of(s) for name, s in exposed().items() if not s.read_only}
    return {"type": "object", "properties": writable, "additionalProperties": False}


def shown() -> Mapping[str, Schema]:
    """What reading gives, as JSON Schema by attribute."""
    return {name: schema_of(setting) for name, setting in exposed().items()}


CONFIG = Shape("ListConfiguration", {}, late=shown)
ATTRIBUTE = shape("ListAttribute", open_=True)


def configuration_of(mailing_list: MailingList) -> Json:
    """Every attribute with its value."""
    return {name: _shown_value(setting, mailing_list) for name, setting in exposed().items()}


def _shown_value(setting: Setting[Any], mailing_list: MailingList) -> Any:
    value = to_wire(setting, setting.of(mailing_list))
    return without_label(value) if setting.kind == "password" and value else value


def _named(attribute: str) -> Setting[Any]:
    setting = exposed().get(attribute)
    if setting is None:
        raise NotFound(f"Unknown attribute: {attribute}")
    return setting


def refuse_unwritable(names: Iterable[str]) -> None:
    """See that every name is an attribute that can be written.

    Raises:
        BadInput: one is unknown or read-only.
    """
    for name in names:
        setting = all_settings().get(name)
        if setting is None or not setting.exposed:
            raise BadInput(f"Unknown attribute: {name}")
        if setting.read_only:
            raise BadInput(f"Read-only attribute: {name}")


def _field(name: str) -> Field:
    setting = all_settings()[name]
    return Field(lambda value: from_wire(setting, value), schema_of(setting))


def write_settings(mailing_list: MailingList, values: Values, *, whole: bool) -> None:
    """Check and set attributes; with `whole`, every writable one must be there.

    Raises:
        BadInput: unknown, read-only, wrong or missing attributes; nothing is changed then.
    """
    if whole:
        fields = {name: _field(name) for name, setting in exposed().items() if not setting.read_only}
        actions.change_settings(mailing_list, body.check(values, fields, {}))
        return
    refuse_unwritable(values)
    actions.change_settings(mailing_list, body.check(values, {}, {name: _field(name) for name in values}))


_shown: dict[str, tuple[tuple[Any, ...], HttpResponse]] = {}
"""What was last answered for a list, beside the row it was made of: it holds until the row is another one."""
_MOST_SHOWN = 2000


def _show(request: HttpRequest, list_id: str) -> HttpResponse:
    """All settings of a list."""
    row = queries.stored_row(list_id)
    known = _shown.get(list_id)
    if row is None or known is None or known[0] != row:
        response = ok(configuration_of(find_list(list_id)))
        if row is not None:
            if len(_shown) >= _MOST_SHOWN:
                _shown.clear()
            _shown[list_id] = row, response
        return response
    return again(known[1])


def _write(request: HttpRequest, list_id: str) -> HttpResponse:
    """Set settings of a list; PUT names every writable one."""
    write_settings(find_list(list_id), body.given(request), whole=request.method == "PUT")
    return done()


def _show_one(request: HttpRequest, list_id: str, attribute: str) -> HttpResponse:
    """One setting of a list."""
    mailing_list = find_list(list_id)
    setting = _named(attribute)
    return ok({attribute: _shown_value(setting, mailing_list)})


def _write_one(request: HttpRequest, list_id: str, attribute: str) -> HttpResponse:
    """Set one setting of a list."""
    mailing_list = find_list(list_id)
    _named(attribute)
    refuse_unwritable([attribute])
    values = body.given(request)
    if len(values) > 1:
        raise BadInput(f"Expected 1 attribute, got {len(values)}")
    field = {attribute: _field(attribute)}
    whole = request.method == "PUT"
    read = body.check(values, field, {}) if whole else body.check(values, {}, field, unknown="Unknown attribute")
    actions.change_settings(mailing_list, read)
    return done()


def _clear_one(request: HttpRequest, values: Values, list_id: str, attribute: str) -> HttpResponse:
    """Empty the list's other addresses; nothing else can be deleted."""
    found = find_list(list_id)
    refuse_unwritable([attribute])
    if attribute != "acceptable_aliases":
        raise BadInput(f"Attribute cannot be DELETEd: {attribute}")
    actions.change_settings(found, {attribute: []})
    return done()


def _refuse_delete(request: HttpRequest, values: Values, list_id: str) -> HttpResponse:
    """Settings as a whole cannot be deleted."""
    find_list(list_id)
    raise BadInput("The configuration of a list cannot be deleted; DELETE the list, or one attribute.")


config = endpoint(
    get=shows(_show, CONFIG),
    put=reads(_write, taken),
    patch=reads(_write, taken),
    delete=takes(_refuse_delete, status=400),
)
config_attribute = endpoint(
    get=shows(_show_one, ATTRIBUTE),
    put=reads(_write_one, taken),
    patch=reads(_write_one, taken),
    delete=takes(_clear_one),
)
