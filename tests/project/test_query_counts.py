"""No collection of REST asks the database more often because it has more rows."""

from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_site import ANT, Site, operations, undone

from postroad.community.access.actions import make_token
from postroad.community.bans.actions import ban
from postroad.community.lists.actions import add_header_match, create_domain, create_list
from postroad.community.lists.models import Domain
from postroad.community.lists.queries import find_list, list_key
from postroad.community.people.actions import add_address, create_user, verify
from postroad.community.people.queries import find_user
from postroad.community.subscriptions.actions import join
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.requests import open_request
from postroad.foundation.rest.models import Call
from postroad.foundation.webhooks.actions import MOST_OF_A_LIST, make_webhook

pytestmark = pytest.mark.django_db
YES = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}
QUERY = {
    "members/find": "?role=member", "users/find": "?q=example", "lists/find": "?subscriber=anne@example.com",
    "lists/<str:list_id>/header-matches/find": "?action=discard",
}  # fmt: skip
"""What a collection must be asked with."""
FIXED = ("plugins", "queues")
"""Collections whose members are the program's own."""

COLLECTIONS = sorted(
    route
    for method, route, endpoint in operations("3.1")
    if method == "GET" and getattr(endpoint.operations["get"].gives, "of", None)
)


@dataclass(frozen=True)
class Asked:
    """The queries of one call, and the rows there were."""

    queries: list[str]
    size: int


def grow(site: Site, start: int, end: int) -> None:
    """Rows of every kind, numbered from `start`."""
    ant, anne = find_list(ANT), find_user("anne@example.com")
    domain = Domain.objects.get(mail_host="example.com")
    for number in range(start, end):
        create_domain(f"d{number}.example.com")
        other = create_list(f"l{number}@example.com")
        join(other, "anne@example.com", **YES)
        for role in Member.Role.values:
            join(ant, f"{role}{number}@example.com", role=role, display_name="N", **YES)
        verify(add_address(anne, f"anne{number}@example.com"))
        owner = create_user(f"server-owner{number}@example.com", "O", is_server_owner=True)
        domain.owners.add(owner)
        ban(f"bad{number}@example.net", ant)
        ban(f"worse{number}@example.net")
        add_header_match(ant, "x-n", f"n{number}", "discard")
        open_request(ant, "subscription", f"wish{number}@example.com", "moderator", {})
        site.hold(f"<{number}@example.org>")
        make_token(owner, "N", "site")
        Call.objects.create(at=number, caller="N", method="GET", path="/", list_id=ant.list_id, status=200)
        if number < MOST_OF_A_LIST // 2:
            for list_id in ("", ant.list_id):
                make_webhook(f"https://n{number}.example.com/", ["member.joined"], list_id)


@pytest.fixture(scope="module")
def asked(django_db_setup, django_db_blocker) -> dict[str, list[Asked]]:
    """What each collection asked the database when it had three rows, and when it had thirty."""
    result: dict[str, list[Asked]] = {route: [] for route in COLLECTIONS}
    with django_db_blocker.unblock(), undone():
        site = Site()
        site.build()
        for start, end in ((0, 3), (3, 30)):
            grow(site, start, end)
            for route in COLLECTIONS:
                path = site.path("GET", route) + QUERY.get(route, "")
                site.rest.get(path)
                with CaptureQueriesContext(connection) as queries:
                    reply = site.rest.get(path)
                assert reply.status == 200, reply.content
                result[route].append(Asked([query["sql"][:150] for query in queries], reply.json["total_size"]))
    return result


@pytest.mark.parametrize("route", COLLECTIONS)
def test_a_collection_of_thirty_costs_the_queries_of_one_of_three(asked, route):
    few, many = asked[route]
    assert len(few.queries) == len(many.queries), many.queries
    grew = many.size > few.size
    assert grew or route in FIXED or "uris" in route, "the collection did not grow, so this tells nothing"


def test_there_are_collections_to_look_at():
    assert len(COLLECTIONS) >= 15


def test_postgresql_plans_once_what_is_asked_again_and_again():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps plans by itself")
    for _ in range(8):
        list_key(ANT)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT custom_plans + generic_plans FROM pg_prepared_statements WHERE statement LIKE %s",
            ["SELECT id FROM lists_list WHERE list_id = %"],
        )
        assert cursor.fetchone() >= (3,)
