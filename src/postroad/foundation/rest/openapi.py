"""The OpenAPI 3.1 document of REST, made of what the endpoints declare; nothing in it is written twice."""

import re
from collections.abc import Iterable, Iterator, Mapping

from postroad.foundation.rest.endpoint import Endpoint
from postroad.foundation.rest.fields import Field
from postroad.foundation.rest.operation import Operation
from postroad.foundation.rest.shapes import Schema, Shape

_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_CONVERTED: Mapping[str, Schema] = {"role": {"enum": ["member", "owner", "moderator", "nonmember"]}}
PARTS: Mapping[str, str] = {
    "list_id": "a list-id, or a posting address",
    "mail_host": "the mail host of a domain",
    "member_id": "a membership's identifier: 32 hexadecimal digits in 3.1, a number in 3.0",
    "identifier": "a user's identifier, or one of the user's addresses",
    "email": "a mail address, or where bans are meant, a pattern that begins with ^",
    "role": "a role on a list",
    "attribute": "the name of a list setting",
    "template": "the name of a template, such as list:user:notice:welcome",
    "request_id": "the number of a held message",
    "token_id": "the number of a token",
    "webhook_id": "the number of a webhook",
    "token": "the token of a waiting request",
    "position": "a place in the order, from 0",
    "section": "a section of the configuration",
    "name": "the name of a queue",
    "file": "the key of a waiting mail, from `files` of its queue",
    "rest": "whatever follows",
}
"""What may stand for each variable part of an address."""
ERROR: Schema = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "description": {"type": "string"}},
    "required": ["title"],
}
_ALWAYS: Mapping[int, str] = {
    401: "the credential is missing or wrong",
    403: "the credential does not have the right to this",
    503: "the database is busy or away, or an upgrade runs; try again",
    507: "there is no room left on the server's disk",
}
_TAKING = {
    400: "a field is unknown, wrong, missing or given twice; every one is named",
    413: "the body is longer than is taken at once",
}
_NAMED = {404: "what the address names does not exist"}
_WRITING = {409: "it exists already, or somebody else changed it at this moment"}
_CONDITIONAL = {412: "the resource is not any more the one of If-Match, or is the one of If-None-Match"}
_USUAL: Mapping[int, str] = {**_ALWAYS, **_TAKING, **_NAMED, **_WRITING, **_CONDITIONAL}
INTRODUCTION = """Compatible with the REST API of GNU Mailman Core 3.3.10; what differs is told in rest-differences.md.

Send fields as a form or as a JSON object, both mean the same. A write is one transaction: it is done, or nothing is.
With `If-Match` and a resource's `ETag` a write goes on only when nobody changed the resource meanwhile; with
`If-None-Match` what the client has already is not sent again."""


def document(version: str, rows: Iterable[tuple[str, Endpoint]], release: str, server: str = "") -> Schema:
    """The document for these addresses (in Django's syntax) under one version of the API."""
    shapes: dict[str, Shape] = {}
    paths: dict[str, Schema] = {}
    for route, endpoint in rows:
        paths["/" + _PART.sub(r"{\2}", route)] = _path(route, endpoint, shapes)
    schemas = {name: shape.schema() for name, shape in sorted(shapes.items())}
    return {
        "openapi": "3.1.1",
        "info": {"title": f"Postroad REST {version}", "version": release, "description": INTRODUCTION},
        "servers": [{"url": f"{server}/{version}"}],
        "security": [{"basic": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": ERROR},
            "responses": {str(status): _failure(text) for status, text in sorted(_USUAL.items())},
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
    }


def _path(route: str, endpoint: Endpoint, shapes: dict[str, Shape]) -> Schema:
    parts = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PARTS[name],
            "schema": _CONVERTED.get(converter, {"type": "string"}),
        }
        for converter, name in _PART.findall(route)
    ]
    methods = {
        method: _operation(method, route, endpoint, operation, shapes)
        for method, operation in sorted(endpoint.operations.items())
    }
    return {"parameters": parts, **methods} if parts else methods


def _operation(method: str, route: str, endpoint: Endpoint, operation: Operation, shapes: dict[str, Shape]) -> Schema:
    described: Schema = {
        "operationId": "_".join([method, *re.findall(r"\w+", _PART.sub(r"\2", route))]),
        "summary": operation.summary.split("\n")[0].rstrip("."),
        "tags": [_tag(route)],
        "x-right": endpoint.right_for(method),
    }
    fields = {**operation.required, **operation.optional}
    if method in ("get", "delete"):
        if fields:
            described["parameters"] = list(_query(operation))
    elif fields or operation.body is not None:
        described["requestBody"] = _body(operation)
    described["responses"] = _responses(method, route, operation, shapes)
    return described


def _tag(route: str) -> str:
    """The group an address belongs to: what it is about, not what it hangs below."""
    words = [word for word in route.split("/") if not word.startswith("<")]
    return words[1] if words[0] in ("lists", "domains") and len(words) > 1 else words[0]


def _query(operation: Operation) -> Iterator[Schema]:
    for name, field in {**operation.required, **operation.optional}.items():
        yield {"name": name, "in": "query", "required": name in operation.required, "schema": field.schema}


def _body(operation: Operation) -> Schema:
    schema = operation.body() if operation.body is not None else _object(operation.required, operation.optional)
    forms = ("application/json", "application/x-www-form-urlencoded")
    return {"required": bool(operation.required), "content": {form: {"schema": schema} for form in forms}}


def _object(required: Mapping[str, Field], optional: Mapping[str, Field]) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {name: field.schema for name, field in {**required, **optional}.items()},
        "additionalProperties": False,
    }
    return {**schema, "required": sorted(required)} if required else schema


def _responses(method: str, route: str, operation: Operation, shapes: dict[str, Shape]) -> Schema:
    told: dict[int, str | Shape] = dict(_ALWAYS)
    if operation.takes_values or operation.optional or operation.body is not None or method != "get":
        told |= _TAKING
    if "<" in route:
        told |= _NAMED
    if method != "get" and not operation.asks:
        told |= _WRITING
    if not operation.asks and (method != "get" or operation.gives is not None):
        told |= _CONDITIONAL
    if method == "get" and operation.gives is not None:
        told[304] = "the client has it already (If-None-Match)"
    told |= operation.other
    shown = {status: _told(status, what, shapes) for status, what in told.items()}
    shown[operation.status] = _success(operation, shapes)
    return {str(status): shown[status] for status in sorted(shown)}


def _told(status: int, what: str | Shape, shapes: dict[str, Shape]) -> Schema:
    if isinstance(what, Shape):
        return _given(what, shapes)
    if status < 400:
        return {"description": what}
    return {"$ref": f"#/components/responses/{status}"} if what == _USUAL.get(status) else _failure(what)


def _failure(text: str) -> Schema:
    return {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}


def _success(operation: Operation, shapes: dict[str, Shape]) -> Schema:
    if operation.gives is not None:
        return _given(operation.gives, shapes)
    told = _told(operation.status, _SAID.get(operation.status) or _USUAL[operation.status], shapes)
    if operation.status == 201:
        told["headers"] = {"Location": {"description": "where it is", "schema": {"type": "string", "format": "uri"}}}
    return told


def _given(shape: Shape, shapes: dict[str, Shape]) -> Schema:
    """A body of this shape; it, and what it is a collection of, become components."""
    held: Shape | None = shape
    while held is not None:
        shapes[held.name] = held
        held = held.of
    reference = {"$ref": f"#/components/schemas/{shape.name}"}
    return {"description": shape.name, "content": {"application/json": {"schema": reference}}}


_SAID: Mapping[int, str] = {
    200: "done; there is no body",
    201: "made",
    202: "taken on; what follows is done in the background",
    204: "done",
    404: "there is never anything here",
}
