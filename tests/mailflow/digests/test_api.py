"""REST of digests: as the real one answers, in both versions, and only to who may."""

import pytest

from postroad.foundation.queue.models import Job
from postroad.mailflow.digests.models import Edition
from tests.mailflow.digests.conftest import mail
from tests.rest_client import Rest

PATH = "lists/ants.example.com/digest"


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_the_next_digest_is_shown(ants, version):
    status, body = Rest(version)("GET", PATH)
    assert status == 200
    assert {k: v for k, v in body.items() if k != "http_etag"} == {"next_digest_number": 1, "volume": 1}


def test_digests_are_sent_and_counted(ants, rest, readers, collect, sent):
    collect(mail())
    for _ in range(2):
        assert rest.call("POST", PATH, {"bump": "true"}).status == 202
    assert rest("GET", PATH)[1]["next_digest_number"] == 3
    assert rest.call("POST", PATH, {"send": "true"}).status == 202
    assert sent()["mime"].subject == "Ants Digest, Vol 1, Issue 3"
    assert rest("GET", PATH)[1]["next_digest_number"] == 4


def test_the_clock_s_sending_asks_the_list(ants, rest, readers, collect, sent):
    from postroad.community.lists import actions as lists

    collect(mail())
    lists.change_settings(ants, {"digest_send_periodic": False})
    assert rest.call("POST", PATH, {"periodic": "true"}).status == 202
    assert sent() == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 200),
        ({"send": "false", "bump": "no"}, 202),
        ({"send": "true", "periodic": "true"}, 400),
        ({"send": "perhaps"}, 400),
        ({"sent": "true"}, 400),
    ],
)
def test_what_is_asked_wrongly_does_nothing(ants, rest, readers, collect, body, status):
    collect(mail())
    assert rest.call("POST", PATH, body).status == status
    assert Edition.objects.get().posts == 1
    assert not Job.objects.filter(queue="issues").exists()


def test_an_unknown_list_has_none(ants, rest):
    assert rest.call("GET", "lists/bees.example.com/digest").status == 404
    assert rest.call("POST", "lists/bees.example.com/digest", {"send": "true"}).status == 404


def test_without_credentials_nothing_is_shown(ants):
    assert Rest(token="wrong").call("GET", PATH).status == 401


@pytest.mark.parametrize("value", ["weekly", "daily", "monthly"])
def test_a_member_s_own_frequency_is_set_over_rest(rest, ants, join, value):
    member = join("anne@example.org", "mime")
    path = f"members/{member.uuid.hex}"
    assert "digest_frequency" not in rest("GET", path)[1], "an old client sees what it always saw"
    assert rest.call("PATCH", path, {"digest_frequency": value}).status == 204
    assert rest("GET", path)[1]["digest_frequency"] == value
    assert rest.call("PATCH", path, {"digest_frequency": "hourly"}).status == 400
    assert rest.call("PATCH", path, {"digest_frequency": ""}).status == 204
    assert "digest_frequency" not in rest("GET", path)[1]
