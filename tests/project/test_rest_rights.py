"""The table of rights holds: each operation for each kind of caller, made from the table itself."""

from collections.abc import Iterator

import pytest
from rest_client import Rest
from rest_site import ANT, BEE, Site, attempt, operations, undone

from postroad.community.access.actions import make_token
from postroad.community.lists.queries import find_list
from postroad.community.people import actions as people
from postroad.community.people.queries import find_user
from postroad.community.subscriptions import actions as subscriptions

pytestmark = pytest.mark.django_db

ORDER = ("read", "moderate", "manage", "site")
EVERY = list(operations())
NEEDED = {f"{method} {route}": endpoint.right_for(method) for method, route, endpoint in EVERY}
ON_A_LIST = ("members", "members/find")
"""Addresses that name their list in a field; without one they are the site's."""


def person(email: str, name: str | None, role: str = "owner", **more):
    user = people.create_user(email, password="x" * 12, **more)
    people.verify(user.addresses.get())
    if role == "domain":
        find_list(name).domain.owners.add(user)
    elif name is not None:
        subscriptions.join(find_list(name), email, role=role)
    return find_user(email)


CALLERS = {
    # kind: (person, list, role, scope, lists, the right it has on the ants)
    "a token to read, of the ants' owner": ("o1@example.com", ANT, "owner", "read", [], "read"),
    "a token to moderate, of the ants' owner": ("o2@example.com", ANT, "owner", "moderate", [ANT], "moderate"),
    "a token to manage, of the ants' owner": ("o3@example.com", ANT, "owner", "manage", [ANT], "manage"),
    "a token to manage, of the ants' moderator": ("m1@example.com", ANT, "moderator", "manage", [], "moderate"),
    "a token to manage, of the domain's owner": ("d1@example.com", ANT, "domain", "manage", [], "manage"),
    "a token to manage, of another list's owner": ("o4@example.com", BEE, "owner", "manage", [], None),
    "a token to manage, of a member": ("m2@example.com", ANT, "nonmember", "manage", [], None),
    "a token to manage, of the server's owner": ("s1@example.com", None, "", "manage", [], "manage"),
    "the same for another list": ("s2@example.com", None, "", "manage", [BEE], None),
    "a token for the site": ("s3@example.com", None, "", "site", [], "site"),
}


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker) -> Iterator[Site]:
    with django_db_blocker.unblock(), undone():
        made = Site()
        made.build()
        made.callers = {"no credential": (None, None), "a wrong password": ("f" * 40, None)}
        for kind, (email, name, role, scope, lists, right) in CALLERS.items():
            _, secret = make_token(person(email, name, role, is_server_owner=name is None), "x", scope, lists)
            made.callers[kind] = (secret, right)
        yield made


class Anonymous(Rest):
    """Calls without any credential."""

    def authorization(self) -> str:
        return ""


def expected(kind: str, right: str | None, needed: str, route: str, *, names_the_list: bool) -> int | None:
    """The status a caller must get, None for whatever the site's own credential would."""
    if kind in ("no credential", "a wrong password"):
        return 401
    if right == "site":
        return None
    if needed == "site":
        return 403
    if names_the_list:
        return None if right is not None and ORDER.index(right) >= ORDER.index(needed) else 403
    return None if needed == "read" else 403


@pytest.mark.parametrize(("method", "route", "endpoint"), EVERY, ids=[f"{m} {r}" for m, r, _ in EVERY])
def test_every_caller_may_what_the_table_says_and_nothing_else(site, method, route, endpoint):
    fields = site.example(method, route, endpoint)
    names_the_list = "list_id" in route or "member_id" in route or (route in ON_A_LIST and "list_id" in fields)
    wrong = []
    for kind, (secret, right) in site.callers.items():
        calling = Site()
        calling.parts = site.parts
        calling.rest = Anonymous() if secret is None else Rest(token=secret)
        status = attempt(lambda by=calling: by.call(method, route, fields)).status
        must = expected(kind, right, endpoint.right_for(method), route, names_the_list=names_the_list)
        if (must is not None and status != must) or (must is None and status in (401, 403)):
            wrong.append(f"{kind}: {status}, not {must or 'allowed'}")
    assert not wrong, "\n".join(wrong)


def test_a_condition_tells_nothing_to_who_may_not_read(site):
    """The right is asked for first: else whoever has a token could find out what a list of others holds."""
    secret, _ = site.callers["a token to manage, of another list's owner"]
    place = f"lists/{ANT}/config"
    tag = site.rest.get(place).headers["ETag"]
    for condition in ("If-Match", "If-None-Match"):
        for value in (tag, '"stale"', "*"):
            reply = Rest(token=secret).call("PATCH", place, {"description": "x"}, headers={condition: value})
            assert reply.status == 403
