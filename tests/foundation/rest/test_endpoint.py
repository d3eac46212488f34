"""How REST answers: credentials, methods, collections, tags, errors; nothing of a refused call is kept."""

import base64
import json
import threading
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.test import RequestFactory

from postroad.foundation.errors import BadInput, Conflict, NotFound, TryLater
from postroad.foundation.rest import audit, fields, resource
from postroad.foundation.rest.endpoint import endpoint
from postroad.foundation.rest.models import Call
from postroad.foundation.rest.operation import takes
from postroad.foundation.storage import actions as storage
from postroad.foundation.storage.models import Blob

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"


def credential(user=None, password=None):
    rest = settings.POSTROAD.rest
    words = f"{rest.user if user is None else user}:{rest.password if password is None else password}"
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(words.encode()).decode()}


def call(view, method="get", path="/3.1/things", **more):
    return view(getattr(RequestFactory(), method)(path, **{**credential(), **more}))


def raising(error):
    def method(request):
        raise error

    return method


def show(request):
    return resource.ok({"name": "ant"})


@pytest.mark.parametrize(
    "header",
    [
        {}, credential(password="wrong"), credential(user="wrong"), credential(password=""),
        {"HTTP_AUTHORIZATION": "Basic !!!"}, {"HTTP_AUTHORIZATION": "Basic /w=="}, {"HTTP_AUTHORIZATION": "Bearer x"},
    ],
)  # fmt: skip
def test_without_the_sites_credential_nothing_is_told(header):
    response = endpoint(get=show)(RequestFactory().get("/3.1/things", **header))
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic realm=")
    assert b"ant" not in response.content


def test_a_method_that_is_not_there_is_told_with_those_that_are():
    response = call(endpoint(get=show), "post")
    assert (response.status_code, response["Allow"]) == (405, "GET, OPTIONS")
    assert call(endpoint(get=show), "options")["Allow"] == "GET"


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotFound("x"), 404), (BadInput("x"), 400), (Conflict("x"), 409), (TryLater("x"), 503), (KeyError("x"), 500)],
)
def test_errors_become_statuses_by_the_one_table(error, status):
    response = call(endpoint(get=raising(error)))
    assert response.status_code == status
    assert json.loads(response.content)["title"].startswith(str(status))


def test_an_unforeseen_error_tells_a_client_nothing_of_the_inside():
    assert b"secret" not in call(endpoint(get=raising(RuntimeError("secret")))).content


def test_a_refused_call_leaves_nothing_behind():
    def make(request):
        storage.store(b"half of it")
        raise Conflict("it is there already")

    assert call(endpoint(post=make), "post").status_code == 409
    assert not Blob.objects.exists()


def test_a_stale_tag_stops_a_write():
    """If-Match (RFC 9110 §13.1.1): only what the client saw is changed."""
    written = []

    def write(request, values):
        written.append(values)
        return resource.done()

    view = endpoint(get=show, patch=takes(write))
    tag = call(view)["ETag"]
    assert call(view, "patch", HTTP_IF_MATCH='"stale"').status_code == 412
    assert not written
    assert call(view, "patch", HTTP_IF_MATCH=f'"other", {tag}').status_code == 204
    assert call(view, "patch", HTTP_IF_MATCH="*").status_code == 204
    assert len(written) == 2


def test_what_a_client_has_is_not_sent_again():
    """If-None-Match (RFC 9110 §13.1.2) with the tag, also as a proxy weakens it: 304 without a body."""
    view = endpoint(get=show)
    tag = call(view)["ETag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        reply = call(view, HTTP_IF_NONE_MATCH=known)
        assert (reply.status_code, reply.content, reply["ETag"]) == (304, b"", tag)
        assert "Content-Type" not in reply
    assert call(view, HTTP_IF_NONE_MATCH='"other"').content == call(view).content
    assert call(view, HTTP_IF_MATCH='"other"').status_code == 412
    assert call(view, HTTP_IF_MATCH=tag).status_code == 200


def test_a_write_that_wants_nothing_there_leaves_what_is_there():
    view = endpoint(get=show, put=takes(raising(AssertionError("written"))))
    for unwanted in ("*", call(view)["ETag"]):
        assert call(view, "put", HTTP_IF_NONE_MATCH=unwanted).status_code == 412


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite one writer waits for the other")
def test_who_was_overtaken_at_the_very_moment_writes_nothing():
    def write_beside():
        Call.objects.update(times=2)
        connection.close()

    def write(request, values):
        """Between our look and our write another one writes."""
        other = threading.Thread(target=write_beside)
        other.start()
        other.join()
        Call.objects.update(times=3)
        return resource.done()

    def shown(request):
        return resource.ok({"times": Call.objects.get().times})

    audit.flush()
    Call.objects.all().delete()
    Call.objects.create(at=0, caller="x", method="GET", path="/", list_id="", status=200, times=1)
    view = endpoint(get=shown, patch=takes(write))
    assert call(view, "patch", HTTP_IF_MATCH=call(view)["ETag"]).status_code == 412
    assert Call.objects.get().times == 2


def test_fields_that_are_not_declared_never_reach_the_view():
    def write(request, values):
        raise AssertionError(values)

    view = endpoint(post=takes(write, {"name": fields.line}))
    for data in ({}, {"name": "a\nb"}, {"name": "a", "more": "b"}, {"name": ["a", "b"]}):
        assert call(view, "post", data=urlencode(data, doseq=True), content_type=FORM).status_code == 400


def test_every_call_is_noted():
    """A change in its own transaction; reading and refused calls together, equal ones counted."""
    audit.flush()
    Call.objects.all().delete()

    def change(request, values):
        return resource.done()

    view = endpoint(get=show, patch=takes(change))
    call(view, "patch")
    assert list(Call.objects.values_list("caller", "method", "path", "status")) == [
        ("site", "PATCH", "/3.1/things", 204)
    ]
    call(view)
    call(view)
    call(view, "patch", path="/3.1/things?unknown=1")
    call(view, "delete")
    assert audit.flush() == 3
    counts = {(c.method, c.status): c.times for c in Call.objects.all()}
    assert counts == {("PATCH", 204): 1, ("GET", 200): 2, ("PATCH", 400): 1, ("DELETE", 405): 1}


def test_a_resource_has_a_tag_that_changes_with_it():
    first, second = (json.loads(call(endpoint(get=show)).content) for _ in range(2))
    assert first == second
    assert first["http_etag"] != json.loads(resource.ok({"name": "bee"}).content)["http_etag"]


def test_a_collection_is_cut_to_the_page_asked_for():
    def listing(request):
        return resource.paged(request, list(range(10)), lambda n: {"n": n})

    whole = json.loads(call(endpoint(get=listing)).content)
    assert (whole["start"], whole["total_size"], len(whole["entries"])) == (0, 10, 10)
    page = json.loads(call(endpoint(get=listing), path="/3.1/things?count=4&page=3").content)
    assert (page["start"], page["total_size"], [e["n"] for e in page["entries"]]) == (8, 10, [8, 9])
    behind = json.loads(call(endpoint(get=listing), path="/3.1/things?count=4&page=9").content)
    assert (behind["total_size"], "entries" in behind) == (10, False)
    for query in ("count=4", "page=1", "count=a&page=1", "count=1&page=0", "count=-1&page=1"):
        assert call(endpoint(get=listing), path=f"/3.1/things?{query}").status_code == 400


def test_moments_are_utc_without_zone():
    assert resource.moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-02T01:04:05"
    assert resource.moment(datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)) == "2026-01-02T03:04:05.006000"


def test_an_id_is_a_number_in_3_0_and_hexadecimal_in_3_1():
    uuid = UUID(int=0xABC)
    old, new = RequestFactory().get("/3.0/users"), RequestFactory().get("/3.1/users")
    assert (resource.uuid_out(old, uuid), resource.uuid_out(new, uuid)) == (0xABC, uuid.hex)
    for request in (old, new):
        assert resource.uuid_in(request, str(resource.uuid_out(request, uuid))) == uuid
        assert resource.uuid_in(request, "nobody") is None


def test_links_come_from_the_configuration_never_from_the_host_header():
    request = RequestFactory().get("/3.1/lists", HTTP_HOST="evil.example")
    response = resource.created(request, "lists/ant.example.com")
    assert response["Location"] == f"http://{settings.POSTROAD.rest.listen}/3.1/lists/ant.example.com"
