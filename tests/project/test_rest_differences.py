"""The rows of docs/reference/rest-differences.md that a call can show."""

import pytest
from rest_site import ANT, Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    made = Site()
    made.build()
    return made


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("PATCH", "domains/nowhere.example", {"description": "x"}, 404, ""),
        ("GET", "lists?count=5", None, 400, "page"),
        ("GET", "lists?page=5", None, 400, "count"),
        ("POST", "lists", {"fqdn_listname": "new@example.com", "style_name": "no such"}, 400, "style"),
        ("GET", "system/configuration/load", None, 404, ""),
        ("PATCH", f"lists/{ANT}/config", {"preferred_language": "xx"}, 400, 'Invalid Parameter "preferred_language"'),
        ("PATCH", f"lists/{ANT}/config", {"advertised": 7}, 400, "boolean"),
        ("PATCH", "users/anne@example.com", {"display_name": None}, 400, "display_name"),
        ("POST", "domains", {"mail_host": "new.example", "owner": "nobody"}, 400, "Invalid email"),
        ("POST", f"lists/{ANT}/header-matches", {"header": "x", "pattern": "(a+)+$"}, 400, "pattern"),
        ("GET", "plugins/any/thing", None, 404, ""),
        ("GET", "members/find?count=5", None, 400, "page"),
        ("GET", "members/find?fields=nothing", None, 400, "Unknown fields"),
        ("GET", "system/versions/more", None, 404, ""),
        ("GET", "domains/example.com/lists/more", None, 404, ""),
        ("PATCH", f"lists/{ANT}/config", {"digest_size_threshold": -1}, 400, "0 or more"),
        ("PATCH", f"lists/{ANT}/config", {"subject_prefix": "a\nb"}, 400, "one line"),
        ("POST", f"lists/{ANT}/header-matches", {"header": "", "pattern": "x"}, 400, "header"),
        ("POST", "bans", {"email": "BAD@example.org"}, 400, "already banned"),
        ("POST", "members", {"list_id": "ant@example.com", "subscriber": "x@example.org", "role": "owner"}, 201, ""),
        ("POST", "domains/example.com/owners", {"owner": "olga@example.com"}, 204, ""),
        ("GET", "domains/EXAMPLE.com", None, 200, ""),
        ("GET", "users/anne@example.com/preferences", None, 200, ""),
        ("GET", "users/find?q=%25", None, 200, ""),
        ("GET", f"lists/{ANT}/roster/member?unknown=1", None, 200, ""),
        ("POST", "queues/shunt", {"list_id": ANT, "text": "x"}, 400, "takes no mail by hand"),
    ],
)
def test_a_fault_of_mailman_is_a_proper_answer(site, method, path, body, status, told):
    reply = site.rest.call(method, path, json=body) if body else site.rest.call(method, path)
    assert reply.status == status, reply.content
    assert status < 400 or told in reply.description


def test_what_is_left_out_there_is_shown(site):
    member = site.parts["member_id"]
    assert "hide_address" in site.rest.get(f"members/{member}/all/preferences").json
    found = site.rest.post("members/find", subscriber=site.parts["identifier"]).json
    assert found["total_size"] == 2
    site.rest.post("members", list_id=ANT, subscriber="anne@example.com", role="owner")
    assert site.rest.post("lists/find", subscriber="anne@example.com").json["total_size"] == 2


def test_a_ban_that_was_not_lifted_is_not_said_to_be(site):
    site.rest.post(f"lists/{ANT}/bans", email="^.*@evil\\.example")
    reply = site.rest.delete(f"lists/{ANT}/bans/one@evil.example")
    assert (reply.status, "^.*@evil" in reply.description) == (409, True)


def test_a_request_belongs_to_its_list(site):
    token = site.parts["token"]
    assert site.rest.get(f"lists/{ANT}/requests/{token}").status == 200
    assert site.rest.get(f"lists/bee.example.com/requests/{token}").status == 404


def test_no_section_of_the_configuration_has_a_password(site):
    from postroad.foundation.configuration import current

    for name in site.rest.get("system/configuration").json["sections"]:
        assert current().rest.password not in str(site.rest.get(f"system/configuration/{name}").json)


def test_an_old_name_of_a_template_is_the_template_that_mail_reads(site):
    old = Site("3.0")
    assert old.rest.patch(f"lists/{ANT}/config", footer_uri="http://127.0.0.1:1/f").status == 204
    names = {entry["name"] for entry in site.rest.get(f"lists/{ANT}/uris").entries}
    assert "list:member:regular:footer" in names
