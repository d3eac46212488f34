"""What Mailman 3.3.10 was seen to answer to the same calls, where it is not what one would think of first."""

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from rest_client import FORM
from rest_site import ANT, BEE, Site, undone

pytestmark = pytest.mark.django_db
YES = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True}


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker) -> Iterator[Site]:
    with django_db_blocker.unblock(), undone():
        made = Site()
        made.build()
        yield made


@pytest.fixture
def site(built):
    with undone():
        yield built


def person(site: Site, email: str, name: str, called: str = "") -> str:
    """A user of this name with one verified, preferred address that is called so; the identifier."""
    site.rest.post("users", email=email, display_name=name)
    site.rest.post(f"addresses/{email}/verify")
    site.rest.patch(f"addresses/{email}", display_name=called)
    site.rest.post(f"users/{email}/preferred_address", email=email)
    return site.rest.get(f"users/{email}").json["user_id"]


@pytest.mark.parametrize("role", ["owner", "moderator", "nonmember"])
def test_whoever_is_put_into_a_role_becomes_a_user(site, role):
    site.rest.post("members", list_id=ANT, subscriber="new@example.org", role=role, display_name="New")
    member = site.rest.get(f"lists/{ANT}/{role}/new@example.org").json
    user = site.rest.get("users/new@example.org").json
    assert (member["user"], user["display_name"]) == (user["self_link"], "New")


def test_a_user_is_a_member_as_user_and_in_other_roles_by_address(site):
    site.rest.post("members", list_id=BEE, subscriber=person(site, "bea@example.org", "Bea"), role="owner")
    assert site.rest.get(f"lists/{BEE}/owner/bea@example.org").json["subscription_mode"] == "as_address"


def test_a_member_as_user_has_the_users_name_and_by_address_the_addresss(site):
    user = person(site, "bea@example.org", "Bea", "Beatrix")
    site.rest.post("members", list_id=ANT, subscriber=user, **YES)
    site.rest.post("members", list_id=BEE, subscriber="bea@example.org", **YES)
    names = [site.rest.get(f"lists/{name}/member/bea@example.org").json["display_name"] for name in (ANT, BEE)]
    assert names == ["Bea", "Beatrix"]


@pytest.mark.parametrize("words", ["*Beatri*", "*bea*", "*eatrix", "Bea*"])
def test_members_are_found_by_the_users_name_too(site, words):
    site.rest.post("members", list_id=BEE, subscriber=person(site, "x@example.org", "Beatrix"), **YES)
    assert [row["email"] for row in site.rest.get("members/find", subscriber=words).entries] == ["x@example.org"]


def test_nobody_is_found_without_a_name(site):
    assert site.rest.get("members/find?subscriber=").json["total_size"] == 0


def test_what_is_found_is_in_the_order_of_lists_addresses_and_roles(site):
    user = person(site, "m@example.org", "M")
    for name in (BEE, ANT):
        for role in ("nonmember", "moderator", "owner", "member"):
            site.rest.post("members", list_id=name, subscriber=f"{role}@a.example", role=role, **YES)
    for role in ("moderator", "owner", "member"):
        site.rest.post("members", list_id=BEE, subscriber="m@example.org", role=role, **YES)
    found = site.rest.get("members/find?subscriber=*@a.example").entries
    assert [(row["list_id"], row["role"]) for row in found] == [
        (name, role) for name in (ANT, BEE) for role in ("member", "moderator", "nonmember", "owner")
    ]
    both = site.rest.get(f"members/find?subscriber=m@example.org&list_id={BEE}").entries
    assert [row["role"] for row in both] == ["member", "owner", "moderator"]
    assert [row["role"] for row in site.rest.get("addresses/m@example.org/memberships").entries] == [
        "member", "owner", "moderator",
    ]  # fmt: skip
    pages = [site.rest.get(f"members/find?list_id={BEE}&count=2&page={page}").entries for page in range(1, 6)]
    whole = site.rest.get(f"members/find?list_id={BEE}").entries
    assert [row["email"] for page in pages for row in page] == sorted(row["email"] for row in whole)
    assert user


def test_the_memberships_of_an_address_are_its_own(site):
    """Not those of its user's other addresses."""
    site.rest.post("users/anne@example.com/addresses", email="other@example.com")
    site.rest.post("members", list_id=ANT, subscriber="other@example.com", role="owner")
    shown = {
        email: [(row["list_id"], row["role"]) for row in site.rest.get(f"addresses/{email}/memberships").entries]
        for email in ("anne@example.com", "other@example.com")
    }
    assert shown == {
        "anne@example.com": [(ANT, "member"), (BEE, "member")],
        "other@example.com": [(ANT, "owner")],
    }


def test_the_place_of_a_preferred_address_is_the_address(site):
    reply = site.rest.post("users/anne@example.com/preferred_address", email="anne@example.com")
    assert reply.headers["Location"].endswith("/3.1/addresses/anne@example.com")


@pytest.mark.parametrize(
    ("method", "path", "form", "status", "told"),
    [
        ("PATCH", "users/anne@example.com", "junk=x&display_name=Y", 400, "Unknown attribute: junk"),
        ("PATCH", "users/anne@example.com", "user_id=x", 400, "Unknown attribute: user_id"),
        ("PUT", "users/anne@example.com", "junk=x", 400, "Unexpected parameters: junk"),
        ("PATCH", f"lists/{ANT}/config/description", "", 204, None),
        ("PATCH", f"lists/{ANT}/config/description", "info=x", 400, "Unknown attribute: info"),
        ("PATCH", f"lists/{ANT}/config/description", "info=x&description=y", 400, "Expected 1 attribute, got 2"),
        ("PUT", f"lists/{ANT}/config/description", "info=x", 400, "Unexpected parameters: info"),
        ("PUT", f"lists/{ANT}/config/nope", "nope=x", 404, "Unknown attribute: nope"),
        ("PATCH", f"lists/{ANT}/config/nope", "nope=x", 404, "Unknown attribute: nope"),
        ("GET", f"lists/{ANT}/config/nope", "", 404, "Unknown attribute: nope"),
        ("PATCH", f"lists/{ANT}/config/created_at", "created_at=x", 400, "Read-only attribute: created_at"),
        ("DELETE", "uris/list:user:notice:goodbye", "", 204, None),
        ("DELETE", f"lists/{ANT}/uris/list:user:notice:goodbye", "", 204, None),
        ("DELETE", "uris/list:no:such", "", 404, "404 Not Found"),
        ("PUT", "addresses/anne@example.com/user", "auto_create=yes", 400, "Unexpected parameters: auto_create"),
        ("PUT", "addresses/anne@example.com/user", "user_id=x", 400, 'Invalid Parameter "user_id"'),
    ],
)
def test_what_is_told_of_a_field_that_is_not_there(site, method, path, form, status, told):
    reply = site.rest.call(method, path, form.encode(), content_type=FORM)
    assert reply.status == status, reply.content
    assert told is None or told in reply.description


@pytest.mark.parametrize("query", ["count=x&page=1", "count=-1&page=1", "count=1&page=0", "count=1"])
def test_a_page_that_cannot_be_is_an_invalid_parameter(site, query):
    assert json.loads(site.rest.get(f"lists?{query}").content)["title"] == "Invalid parameter"


def test_json_that_is_none_is_told_so_in_the_title(site):
    reply = site.rest.call("POST", "domains", b"{", content_type="application/json")
    assert (reply.status, reply.json["title"]) == (400, "Invalid JSON")


def test_an_answer_without_a_body_is_no_page(site):
    for reply in (
        site.rest.call("POST", f"lists/{ANT}/digest", urlencode({"bump": "yes"}).encode()),
        site.rest.call("POST", f"lists/{ANT}/digest"),
        site.rest.call("OPTIONS", "lists"),
    ):
        assert (reply.content, reply.headers["Content-Type"]) == (b"", "application/json")


def test_a_held_post_has_the_line_ends_of_programs_and_says_who_sent_it(site):
    held = site.rest.get(f"lists/{ANT}/held").entries[0]
    assert held["msg"].endswith("\n\nHi.\n")
    assert (held["lang"], held["envsender"]) == ("en", "zoe@example.org")


def test_a_moderators_password_is_shown_as_its_hash_alone(site):
    site.rest.patch(f"lists/{ANT}/config", moderator_password="secret")
    for place in (f"lists/{ANT}/config", f"lists/{ANT}/config/moderator_password"):
        assert site.rest.get(place).json["moderator_password"].startswith("$argon2")
