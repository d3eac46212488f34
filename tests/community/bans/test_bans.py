"""Who is banned where."""

import pytest

from postroad.community.bans import actions, queries
from postroad.community.bans.models import Ban
from postroad.community.lists import actions as lists
from postroad.foundation.errors import BadInput

pytestmark = pytest.mark.django_db


def test_an_address_is_banned_where_it_was_banned_in_any_case(ant):
    bee = lists.create_list("bee@example.com")
    actions.ban("Spam@Example.org", ant)
    assert queries.is_banned("spam@example.ORG", ant)
    assert not queries.is_banned("spam@example.org", bee)
    assert not queries.is_banned("spam@example.org")


def test_a_ban_of_the_site_holds_on_every_list(ant):
    actions.ban("spam@example.org")
    assert queries.is_banned("spam@example.org", ant)
    assert queries.is_banned("spam@example.org")


def test_a_pattern_bans_what_begins_like_it_in_any_case(ant):
    actions.ban("^.*@Spam\\.example", ant)
    assert queries.is_banned("ANNE@spam.example", ant)
    assert not queries.is_banned("anne@spamxexample.org", ant)
    assert queries.is_banned("^.*@Spam\\.example", ant)


def test_who_is_banned_by_a_pattern_or_the_site_cannot_be_banned_again(ant):
    actions.ban("^.*@spam\\.example")
    for place in (ant, None):
        with pytest.raises(BadInput, match="already banned"):
            actions.ban("anne@spam.example", place)
    assert Ban.objects.count() == 1


@pytest.mark.parametrize("text", ["nobody", "", "^(", "^(a+)+$", "^" + "a" * 300])
def test_what_is_no_address_and_no_pattern_is_not_banned(text):
    with pytest.raises(BadInput):
        actions.ban(text)


def test_lifting_removes_exactly_that_ban(ant):
    actions.ban("anne@example.org", ant)
    assert not actions.lift("anne@example.org")
    assert actions.lift("Anne@example.org", ant)
    assert not queries.is_banned("anne@example.org", ant)
    assert not actions.lift("anne@example.org", ant)


def test_an_old_pattern_that_cannot_be_run_bans_nobody(ant):
    Ban.objects.create(email="^(a+)+$", mailing_list=ant)
    assert not queries.is_banned("aaaa@example.org", ant)


def test_bans_are_listed_by_address(ant):
    for email in ("b@example.org", "a@example.org"):
        actions.ban(email, ant)
    actions.ban("c@example.org")
    assert [b.email for b in queries.find(ant)] == ["a@example.org", "b@example.org"]
    assert [b.email for b in queries.find(None)] == ["c@example.org"]
