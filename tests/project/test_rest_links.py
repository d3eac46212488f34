"""A link opens what it stands on, whatever characters the name has, and is a URI (RFC 3986)."""

import re
from urllib.parse import urlsplit

import pytest
from rest_client import Rest

pytestmark = pytest.mark.django_db
URI = re.compile(r"http://[-\w.:]+(/([-\w.~!$&'()*+,;=:@]|%[0-9A-F]{2})+)+", re.ASCII)


@pytest.fixture
def rest():
    return Rest()


def behind(rest, link):
    """What a client gets who opens the link as it is."""
    assert URI.fullmatch(link)
    return rest.get(urlsplit(link).path.removeprefix("/3.1/")).json


@pytest.mark.parametrize(
    "email",
    ["a+b@example.org", "what?=b@example.org", "hash#b@example.org", "per%41@example.org", "jörg@example.org", "j@bücher.example"],
)  # fmt: skip
def test_of_an_address_a_user_and_a_member(rest, email):
    rest.post("domains", mail_host="example.com")
    rest.post("lists", fqdn_listname="ant@example.com")
    ready = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True}
    member = behind(
        rest, rest.post("members", list_id="ant.example.com", subscriber=email, **ready).headers["Location"]
    )
    assert member["email"] == email
    assert behind(rest, member["address"])["email"] == email
    assert behind(rest, behind(rest, member["address"])["self_link"])["email"] == email
    user = behind(rest, member["user"])["user_id"]
    made = rest.post(f"users/{user}/addresses", email=f"x{email}").headers["Location"]
    assert behind(rest, made)["email"] == f"x{email}"
    rest.patch(urlsplit(f"{member['address']}/preferences").path.removeprefix("/3.1/"), hide_address=True)
    shown = behind(rest, f"{member['address']}/preferences")
    assert behind(rest, shown["self_link"])["hide_address"] is True
    assert behind(rest, rest.post("bans", email=email).headers["Location"])["email"] == email
    assert behind(rest, rest.get("bans").entries[0]["self_link"])["email"] == email


def test_of_a_domain_and_its_lists_in_any_script(rest):
    domain = behind(rest, rest.post("domains", mail_host="bücher.example").headers["Location"])
    assert behind(rest, domain["self_link"])["mail_host"] == "bücher.example"
    made = behind(rest, rest.post("lists", fqdn_listname="neu@bücher.example").headers["Location"])
    assert behind(rest, made["self_link"])["list_id"] == "neu.bücher.example"
    path = urlsplit(made["self_link"]).path.removeprefix("/3.1/")
    assert (
        behind(rest, rest.post(f"{path}/bans", email="a@example.org").headers["Location"])["list_id"] == made["list_id"]
    )
    rest.patch(f"{path}/uris", **{"list:user:notice:welcome": "mailman:///x"})
    assert behind(rest, rest.get(f"{path}/uris").entries[0]["self_link"])["uri"] == "mailman:///x"
    placed = rest.post(f"{path}/header-matches", header="x-spam", pattern="yes").headers["Location"]
    assert behind(rest, placed)["position"] == 0
