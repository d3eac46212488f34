"""Who is known by a list only can be given an account; who has one keeps it."""

import pytest

from postroad.community.lists.actions import create_domain, create_list
from postroad.community.people.accounts import open_account
from postroad.community.people.queries import find_address, find_user
from postroad.community.subscriptions.actions import join
from postroad.foundation.errors import BadInput

pytestmark = pytest.mark.django_db


def test_an_owner_of_a_list_becomes_an_owner_of_the_site():
    create_domain("example.com")
    ants = create_list("ants@example.com")
    join(ants, "olga@example.com", role="owner", display_name="Olga")
    open_account("Olga@example.com", password="a long one", is_server_owner=True)
    olga = find_user("olga@example.com")
    assert (olga.display_name, olga.is_superuser, olga.is_staff) == ("Olga", True, True)
    assert olga.check_password("a long one")
    assert find_address("olga@example.com").verified_on is not None


def test_who_has_a_password_keeps_it():
    open_account("olga@example.com", "Olga", "a long one")
    with pytest.raises(BadInput, match="belongs to a user already"):
        open_account("olga@example.com", "Other", "another one", is_server_owner=True)
    olga = find_user("olga@example.com")
    assert (olga.display_name, olga.is_superuser, olga.check_password("a long one")) == ("Olga", False, True)
