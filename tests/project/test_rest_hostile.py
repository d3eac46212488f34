"""Whatever a client sends, REST answers as its document says, never with 5xx, and a refused write leaves nothing."""

import os
import re
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_site import Site, attempt, fingerprint, undone
from schemathesis import GenerationMode

from postroad.project.rest_urls import ONLY_3_0, VERSIONS, documents

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("POSTROAD_REST_EXAMPLES", "2"))
"""Calls for each operation, version and mode of making them; `POSTROAD_REST_EXAMPLES` asks for more."""
SCHEMAS = {version: schemathesis.openapi.from_dict(documents("")[version]) for version in VERSIONS}
OLD = {f"/{route}" for route, *_ in ONLY_3_0}
"""What 3.0 has for itself; the rest of it is the same as in 3.1."""
CALLS = [
    (version, operation)
    for version, schema in SCHEMAS.items()
    for operation in (result.ok() for result in schema.get_all_operations())
    if version == "3.1" or re.sub(r"\{(\w+)\}", r"<str:\1>", operation.path) in OLD
]


@pytest.fixture(scope="module", params=VERSIONS)
def site(request, django_db_setup, django_db_blocker) -> Iterator[Site]:
    """One site for every call; each call is undone."""
    with django_db_blocker.unblock(), undone():
        made = Site(request.param)
        made.build()
        made.whole = fingerprint()
        yield made


def send(site: Site, case) -> requests.Response:
    arguments = case.as_transport_kwargs(base_url="http://site")
    kept = {
        k: v for k, v in arguments.items() if k in ("method", "url", "headers", "params", "data", "json", "cookies")
    }
    made = requests.Request(**kept).prepare()
    headers = {k: v for k, v in made.headers.items() if k.lower() not in ("authorization", "content-length", "cookie")}
    body = made.body.encode() if isinstance(made.body, str) else made.body
    return site.rest.call(made.method, made.path_url.lstrip("/"), body, content_type=headers.pop("Content-Type", ""))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_no_call_that_can_be_made_of_the_document_breaks_anything(site, mode):
    failed = []
    for version, operation in CALLS:
        if version == site.rest.version:
            try:
                try_out(site, operation, mode)
            except AssertionError as error:
                failed.append(f"{operation.label}: {error}")
    assert not failed, "\n".join(failed)


def try_out(site, operation, mode):
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), known=st.integers(0, 3))
    def run(case, known):
        if known and case.path_parameters:
            case.path_parameters |= {k: v for k, v in site.parts.items() if k in case.path_parameters}
        reply = attempt(lambda: send(site, case))
        assert reply.status < 500, (operation.label, case.body, reply.content)

    with undone():
        run()
        assert fingerprint() == site.whole, "a refused call changed something"
