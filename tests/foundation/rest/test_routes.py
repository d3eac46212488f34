"""Addresses of REST: fixed parts before named ones, whole rests, nothing found for anything else."""

import pytest

from postroad.foundation.rest.routes import Routes

pytestmark = pytest.mark.sqlite_only

ROUTES: Routes[str] = Routes(
    [
        (address, address)
        for address in (
            "3.1", "3.1/lists", "3.1/lists/find", "3.1/lists/<str:list_id>", "3.1/lists/<str:list_id>/bans",
            "3.1/lists/<str:list_id>/bans/<path:email>", "3.1/lists/<str:list_id>/roster/<role:role>",
            "3.1/lists/<str:list_id>/<role:role>/<str:email>", "3.1/lists/find/deeper",
        )
    ],
    {"role": ("member", "owner")},
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "view", "arguments"),
    [
        ("/3.1", "3.1", {}),
        ("/3.1/lists", "3.1/lists", {}),
        ("/3.1/lists/find", "3.1/lists/find", {}),
        ("/3.1/lists/finds", "3.1/lists/<str:list_id>", {"list_id": "finds"}),
        # A fixed part that leads nowhere does not hide the named one beside it.
        ("/3.1/lists/find/bans", "3.1/lists/<str:list_id>/bans", {"list_id": "find"}),
        (
            "/3.1/lists/a/bans/^x/y@z",
            "3.1/lists/<str:list_id>/bans/<path:email>",
            {"list_id": "a", "email": "^x/y@z"},
        ),
        (
            "/3.1/lists/a/roster/owner",
            "3.1/lists/<str:list_id>/roster/<role:role>",
            {"list_id": "a", "role": "owner"},
        ),
        (
            "/3.1/lists/a/member/b",
            "3.1/lists/<str:list_id>/<role:role>/<str:email>",
            {"list_id": "a", "role": "member", "email": "b"},
        ),
    ],
)
def test_an_address_leads_to_its_view_with_the_named_parts(path, view, arguments):
    assert ROUTES.find(path) == (view, arguments)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/3.0",
        "/3.1/",
        "/3.1/lists/",
        "/3.1//bans",
        "/3.1/lists/a/bans/",
        "/3.1/lists/a/roster/king",
        "/3.1/lists/a/b",
    ],
)
def test_any_other_address_leads_nowhere(path):
    assert ROUTES.find(path)[0] is None


def test_two_views_of_one_address_are_a_mistake():
    with pytest.raises(ValueError, match="two views"):
        Routes([("a/<str:x>", 1), ("a/<str:x>", 2)], {})
