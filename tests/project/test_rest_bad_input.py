"""Each field of each write, given wrongly in every way there is: 400 that names it, and nothing is changed."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from rest_site import PARTS, Site, attempt, fingerprint, operations, undone

from postroad.foundation.rest.fields import LONGEST_MAIL

pytestmark = pytest.mark.django_db

WRITES = [
    (method, route, endpoint)
    for method, route, endpoint in operations()
    if (described := endpoint.operations[method.lower()]).takes_values or described.body is not None
]
BODIES = [call for call in WRITES if call[0] not in ("GET", "DELETE")]


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker) -> Iterator[Site]:
    with django_db_blocker.unblock(), undone():
        made = Site()
        made.build()
        made.whole = fingerprint()
        yield made


def taken(operation) -> dict[str, Any]:
    """Every field of an operation with its JSON Schema."""
    if operation.body is not None:
        described = operation.body()
        return described.get("properties", {"prototype": described.get("additionalProperties")})
    return {name: field.schema for name, field in {**operation.required, **operation.optional}.items()}


def wrong_values(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a field of this schema must refuse."""
    yield from (("an object", {"a": "b"}), ("NUL", "a\0b"), ("half a character", "\ud800"))
    kinds = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    if not any(kind.get("type") == "array" for kind in kinds):
        yield "a list", ["a@example.com", "b@example.com"]
    if "enum" in schema:
        yield "another word", "no such word"
    if schema.get("type") == "boolean":
        yield from (("another word", "perhaps"), ("a number", 7))
    if schema.get("type") in ("integer", "number"):
        yield from (("a word", "many"), ("too much", 10**40), ("not a number", "nan"), ("true", True))
    if any("pattern" in kind or "enum" in kind or kind.get("type") == "boolean" for kind in kinds):
        yield from (("CR LF", "a@example.com\r\nBcc: b@example.com"), ("LF", "a\nb"), ("CR", "a\rb"))
    longest = next((kind["maxLength"] for kind in kinds if "maxLength" in kind), None)
    if longest is not None:
        yield "too long", "x" * (longest + 1)


def refused(site: Site, what: str, method: str, route: str, fields: dict[str, Any]) -> list[str]:
    """What was wrong about the refusal."""
    reply = attempt(lambda: site.call(method, route, fields))
    return [] if reply.status == 400 else [f"{what} answers {reply.status} {reply.content[:100]!r}"]


@pytest.fixture
def unchanged(site):
    """The site is at the end as it was."""
    with undone():
        yield
        assert fingerprint() == site.whole, "a refused call changed something"


@pytest.mark.parametrize(("method", "route", "endpoint"), WRITES, ids=[f"{m} {r}" for m, r, _ in WRITES])
def test_what_is_given_wrongly_is_refused_whole(site, unchanged, method, route, endpoint):
    operation = endpoint.operations[method.lower()]
    good = site.example(method, route, endpoint)
    wrong = refused(site, "an unknown field", method, route, {**good, "no_such_field": "x"})
    for name in operation.required:
        wrong += refused(site, f"{name} missing", method, route, {k: v for k, v in good.items() if k != name})
    for name, schema in taken(operation).items():
        if operation.body is not None and route.endswith("<str:attribute>") and name != "description":
            continue  # Only the setting that the address names is taken; the others are tried in `config`.
        for kind, value in wrong_values(schema):
            if method not in ("GET", "DELETE") or (isinstance(value, str) and kind != "half a character"):
                wrong += refused(site, f"{name}: {kind}", method, route, {**good, name: value})
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("method", "route", "endpoint"), BODIES, ids=[f"{m} {r}" for m, r, _ in BODIES])
def test_a_form_that_is_not_utf_8_or_says_a_field_twice_is_refused(site, unchanged, method, route, endpoint):
    good = {k: v for k, v in site.example(method, route, endpoint).items() if isinstance(v, str)}
    for body in (
        b"name=%ff",
        urlencode([*good.items(), ("a", "\udc80")], errors="surrogateescape").encode(),
        b"\xff=1",
    ):
        assert site.rest.call(method, site.path(method, route), body).status == 400
    lists = {
        n for n, s in taken(endpoint.operations[method.lower()]).items() if "anyOf" in s or s.get("type") == "array"
    }
    for name in set(good) - lists:
        doubled = urlencode([*good.items(), (name, good[name])]).encode()
        reply = attempt(lambda form=doubled: site.rest.call(method, site.path(method, route), form))
        assert reply.status == 400, f"{name} twice: {reply.status} {reply.content[:100]!r}"


def test_bodies_that_are_no_object_or_of_another_kind_are_refused(site):
    for body, kind in (
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"a", "text/xml"),
        (b"\xff", "application/json"),
    ):
        assert site.rest.call("POST", "domains", body, content_type=kind).status == 400


def test_a_mail_that_is_too_large_is_refused(site):
    reply = site.rest.call("POST", "queues/in", {"list_id": "ant.example.com", "text": "x" * (LONGEST_MAIL + 1)})
    assert reply.status == 400


NAMED = [call for call in operations() if "<str:" in call[1]]


@pytest.mark.parametrize(("method", "route", "endpoint"), NAMED, ids=[f"{m} {r}" for m, r, _ in NAMED])
def test_what_is_not_there_is_not_found(site, unchanged, method, route, endpoint):
    """Unknown names in each part of an address: 404, or 400 where Mailman says so, and never a write."""
    wrong = []
    good = site.example(method, route, endpoint)
    for part in [part for part in site.parts if f"<str:{part}>" in route]:
        for value in ("unknown", "7", "-1", "9" * 40, "a%00b", "é", "x" * 3000, "..", "a@b", "^("):
            reply = attempt(lambda name=part, text=value: site.call(method, route, good, **{name: text}))
            if reply.status not in (400, 404):
                wrong.append(f"{part}={value[:20]}: {reply.status} {reply.content[:100]!r}")
    assert not wrong, "\n".join(wrong)


def test_a_stale_tag_stops_every_write(site, unchanged):
    """If-Match with another tag: 412 wherever the resource can be read, and nothing is changed."""
    for method, route, endpoint in operations():
        shown = endpoint.operations.get("get")
        if (
            method == "GET"
            or shown is None
            or shown.takes_values
            or f"{method} {route}" in PARTS
            or shown.status == 404
        ):
            continue
        fields = site.example(method, route, endpoint)
        query = f"?{urlencode(fields, doseq=True)}" if method == "DELETE" and fields else ""
        body = {} if method == "DELETE" else {"json": fields}
        reply = site.rest.call(method, site.path(method, route) + query, headers={"If-Match": '"stale"'}, **body)
        assert reply.status == 412, f"{method} {route}: {reply.status}"
