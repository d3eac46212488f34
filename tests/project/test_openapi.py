"""The OpenAPI document is true: every address, method, field and status stands in it, and nothing else."""

from collections.abc import Iterator

import jsonschema_rs
import pytest
from rest_client import Rest
from rest_site import Site, attempt, operations, undone

from postroad.project.rest_urls import VERSIONS

pytestmark = pytest.mark.django_db

EVERY = [(version, *call) for version in VERSIONS for call in operations(version)]


@pytest.fixture(scope="module")
def sites(django_db_setup, django_db_blocker) -> Iterator[dict[str, Site]]:
    """One site as each version shows it; each call is undone."""
    with django_db_blocker.unblock(), undone():
        first = Site()
        first.build()
        made = {version: Site(version) for version in VERSIONS}
        for site in made.values():
            site.look()
        yield made


@pytest.mark.parametrize(("version", "method", "route", "endpoint"), EVERY, ids=[" ".join(e[:3]) for e in EVERY])
def test_every_operation_answers_as_declared(sites, version, method, route, endpoint):
    """A call with the fields that are asked for ends with the declared status and shape (see `rest_conformance`)."""
    site = sites[version]
    reply = attempt(lambda: site.call(method, route, site.example(method, route, endpoint)))
    assert reply.status == endpoint.operations[method.lower()].status, reply.content


@pytest.mark.parametrize("version", VERSIONS)
def test_the_document_is_valid_and_names_every_address(version):
    reply = Rest(version).get("openapi.json")
    assert reply.json["openapi"].startswith("3.1")
    jsonschema_rs.meta.validate(reply.json["components"]["schemas"])
    described = {
        (method.upper(), path)
        for path, item in reply.json["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert len(described) == len(list(operations(version)))
    identifiers = [
        op["operationId"] for item in reply.json["paths"].values() for m, op in item.items() if m != "parameters"
    ]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_says_what_it_does_and_who_may(version):
    for item in Rest(version).get("openapi.json").json["paths"].values():
        for operation in (described for method, described in item.items() if method != "parameters"):
            assert operation["summary"]
            assert operation["x-right"] in ("read", "moderate", "manage", "site")
