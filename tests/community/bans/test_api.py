"""REST of bans, of a list and of the site, as Mailman's clients expect it."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("place", ["bans", "lists/ant.example.com/bans"])
def test_a_ban_is_made_shown_and_lifted(rest, ant, place):
    status, location = rest("POST", place, {"email": "Bad+x@example.org"})
    assert status == 201
    assert location.endswith(f"/3.1/{place}/bad%2Bx%40example.org")
    status, found = rest("GET", f"{place}/bad%2Bx%40example.org")
    assert (status, found["email"]) == (200, "bad+x@example.org")
    assert found["self_link"] == location
    assert found.get("list_id") == ("ant.example.com" if place != "bans" else None)
    status, page = rest("GET", place)
    assert (page["start"], page["total_size"], [e["email"] for e in page["entries"]]) == (0, 1, ["bad+x@example.org"])
    assert rest("DELETE", f"{place}/bad%2Bx%40example.org") == (204, None)
    assert rest("GET", f"{place}/bad%2Bx%40example.org")[0] == 404
    assert "entries" not in rest("GET", place)[1]


def test_a_pattern_is_quoted_in_its_address(rest, ant):
    _, location = rest("POST", "bans", {"email": "^.*@Spam\\.example/x"})
    assert location.endswith("/bans/%5E.%2A%40Spam%5C.example%2Fx")
    assert rest("GET", location.partition("/3.1/")[2])[1]["email"] == "^.*@Spam\\.example/x"


def test_whoever_matches_a_wider_ban_is_banned(rest, ant):
    rest("POST", "bans", {"email": "^.*@spam\\.example"})
    assert rest("GET", "lists/ant.example.com/bans/anne@spam.example")[1]["email"] == "anne@spam.example"
    status, error = rest("POST", "lists/ant.example.com/bans", {"email": "anne@spam.example"})
    assert (status, error["description"]) == (400, "Address is already banned: anne@spam.example")
    status, error = rest("DELETE", "lists/ant.example.com/bans/anne@spam.example")
    assert status == 409, "nothing was removed, so that must not look like it (Mailman says 204)"
    assert "^.*@spam\\.example on the whole site" in error["description"]
    assert rest("GET", "bans")[1]["total_size"] == 1


@pytest.mark.parametrize("body", [{}, {"email": "nobody"}, {"email": "^("}, {"email": "a@b.example", "x": "1"}])
def test_what_cannot_be_banned_is_refused(rest, ant, body):
    assert rest("POST", "bans", body)[0] == 400
    assert rest("GET", "bans")[1]["total_size"] == 0


def test_a_list_that_is_not_there_has_no_bans(rest, ant):
    assert rest("GET", "lists/bee.example.com/bans")[0] == 404
