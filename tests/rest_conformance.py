"""Holds every answer a test gets from REST against the OpenAPI document: method, status and body must be in it."""

import functools
import json
import re

import jsonschema_rs

from postroad.foundation.rest.routes import Routes
from postroad.project.rest_urls import KINDS, VERSIONS, documents

_ROUTES = Routes([(f"{version}/{row[0]}", row[0]) for version, rows in VERSIONS.items() for row in rows], KINDS)


def _route(path: str) -> str | None:
    """The address of the document that answers this path."""
    route, _ = _ROUTES.find(path)
    return None if route is None else "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


@functools.cache
def _validator(version: str, reference: str) -> jsonschema_rs.Validator:
    document = documents("")[version]
    return jsonschema_rs.Draft202012Validator({"$ref": reference, "components": document["components"]})


def check(method: str, version: str, path: str, status: int, body: bytes) -> None:
    """Fail when the document does not foresee this answer."""
    if status in (405, 500) or method == "OPTIONS":
        return  # Methods that are not there; faults, which tests look for themselves.
    route = _route(path)
    if route is None:
        assert status == 404, f"{method} {path} answers {status} and is in no document"
        return
    operation = documents("")[version]["paths"][route].get(method.lower())
    assert operation is not None, f"{method} {route} answers {status} and is in no document"
    response = operation["responses"].get(str(status))
    assert response is not None, f"{method} {route} answers {status}; the document knows {list(operation['responses'])}"
    if "$ref" in response:
        response = documents("")[version]["components"]["responses"][str(status)]
    content = response.get("content")
    if content is None:
        assert not body, f"{method} {route}: {status} has a body the document does not know: {body[:200]!r}"
        return
    validator = _validator(version, content["application/json"]["schema"]["$ref"])
    wrong = [f"{error.instance_path}: {error.message}"[:300] for error in validator.iter_errors(json.loads(body))]
    assert not wrong, f"{method} {route}: {status} does not have the declared shape: {wrong}"
