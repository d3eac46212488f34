"""Users and addresses: who owns what, merging, and that sign-in knows the same as we do."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.test import RequestFactory

from postroad.community.lists import actions as lists
from postroad.community.people import actions, queries
from postroad.community.people.adapter import Accounts
from postroad.community.people.models import Address, User
from postroad.community.subscriptions.models import Member
from postroad.foundation.errors import BadInput, Conflict

pytestmark = pytest.mark.django_db


def sign_in_rows(email):
    return [(row.user, row.verified, row.primary) for row in EmailAddress.objects.filter(email=email)]


def test_an_address_is_made_once_and_keeps_its_first_spelling():
    made = actions.ensure_address("Anne@Example.com", "Anne")
    assert actions.ensure_address("anne@example.COM", "Other") == made
    assert (made.email, made.original_email, made.display_name) == ("anne@example.com", "Anne@Example.com", "Anne")
    assert queries.find_address("ANNE@example.com") == made
    with pytest.raises(BadInput, match="Invalid email address: nobody"):
        actions.ensure_address("nobody")


def test_a_name_cannot_break_a_header():
    assert actions.ensure_address("a@example.com", "Anne\r\nBcc: x").display_name == "Anne Bcc: x"


def test_a_user_made_by_rest_has_one_unverified_address():
    user = actions.create_user("anne@example.com", "Anne", "s3cret", is_server_owner=True)
    assert user.is_server_owner
    assert user.check_password("s3cret")
    assert user.addresses.get().verified_on is None
    assert queries.find_user("Anne@example.com") == user
    assert queries.find_user(user.uuid) == queries.find_user(user.uuid.hex) == user
    with pytest.raises(BadInput, match="belongs to a user already"):
        actions.create_user("anne@example.com")


def test_a_user_takes_an_address_that_was_nobodys():
    address = actions.ensure_address("anne@example.com", "Anne")
    user = actions.create_user("anne@example.com")
    address.refresh_from_db()
    assert address.user == user
    assert user.display_name == "Anne"
    assert not user.has_usable_password()
    assert actions.ensure_user("ANNE@example.com") == user
    assert actions.ensure_user("bart@example.com").addresses.get().email == "bart@example.com"


def test_a_user_changes_only_in_what_is_given():
    user = actions.create_user("anne@example.com", "Anne", "old")
    actions.change_user(user, cleartext_password="new")
    actions.change_user(user, display_name="Anna", is_server_owner=True)
    user.refresh_from_db()
    assert (user.display_name, user.is_superuser, user.check_password("new")) == ("Anna", True, True)


def test_deleting_a_user_deletes_addresses_and_subscriptions():
    lists.create_domain("example.com")
    ant = lists.create_list("ant@example.com")
    user = actions.create_user("anne@example.org")
    Member.objects.create(mailing_list=ant, address=user.addresses.get())
    Member.objects.create(mailing_list=ant, user=user, role="owner")
    actions.delete_user(user)
    assert not User.objects.exists()
    assert not Address.objects.exists()
    assert not Member.objects.exists()
    assert not EmailAddress.objects.exists()


def test_a_preferred_address_exists_is_verified_and_not_anothers():
    user = actions.create_user("anne@example.com")
    other = actions.create_user("bart@example.com")
    for email, why in (
        ("x@example.com", "does not exist"),
        ("anne@example.com", "not verified"),
        ("bart@example.com", "another"),
    ):
        with pytest.raises(BadInput, match=why):
            actions.set_preferred_address(user, email)
    free = actions.ensure_address("free@example.com")
    actions.verify(free)
    actions.set_preferred_address(user, "Free@example.com")
    user.refresh_from_db()
    assert user.preferred_address == free
    assert set(user.addresses.values_list("email", flat=True)) == {"anne@example.com", "free@example.com"}
    actions.unlink(user.addresses.get(email="free@example.com"))
    user.refresh_from_db()
    assert user.preferred_address is None
    assert other.addresses.count() == 1


def test_another_users_address_comes_only_with_that_user():
    anne, bart = actions.create_user("anne@example.com"), actions.create_user("bart@example.com")
    for user in (anne, bart):
        with pytest.raises(BadInput, match="belongs to other user"):
            actions.add_address(user, "bart@example.com")
    added = actions.add_address(anne, "Bart@example.com", absorb_existing=True)
    assert added.user == anne
    assert User.objects.get() == anne
    assert actions.add_address(anne, "new@example.com", "New").user == anne
    with pytest.raises(BadInput, match="another user"):
        actions.link_address(actions.create_user("carl@example.com"), Address.objects.get(email="bart@example.com"))


def test_merging_moves_what_the_first_user_lacks():
    lists.create_domain("example.com")
    ant, bee = lists.create_list("ant@example.com"), lists.create_list("bee@example.com")
    anne = actions.create_user("anne@example.org")
    bart = actions.create_user("bart@example.org", "Bart", "s3cret", is_server_owner=True)
    actions.set_preferences(bart, {"hide_address": False, "delivery_mode": "mime_digests"})
    actions.set_preferences(anne, {"delivery_mode": "regular"})
    actions.verify(bart.addresses.get())
    actions.set_preferred_address(bart, "bart@example.org")
    ant.domain.owners.add(bart)
    Member.objects.create(mailing_list=ant, user=anne)
    lost = Member.objects.create(mailing_list=ant, user=bart)
    kept = Member.objects.create(mailing_list=bee, user=bart)
    bart.refresh_from_db()
    anne.refresh_from_db()
    actions.absorb(anne, bart)
    anne.refresh_from_db()
    assert User.objects.get() == anne
    assert Member.objects.get(pk=kept.pk).user == anne
    assert not Member.objects.filter(pk=lost.pk).exists()
    assert list(ant.domain.owners.all()) == [anne]
    assert (anne.display_name, anne.is_superuser, anne.check_password("s3cret")) == ("Bart", True, True)
    assert (anne.hide_address, anne.delivery_mode) == (False, "regular")
    assert anne.preferred_address.email == "bart@example.org"
    assert sign_in_rows("bart@example.org") == [(anne, True, True)]
    with pytest.raises(BadInput, match="itself"):
        actions.absorb(anne, anne)


def test_preferences_are_checked_before_any_is_set():
    address = actions.ensure_address("anne@example.com")
    for name, value in (
        ("delivery_mode", "pigeon"),
        ("hide_address", "yes"),
        ("preferred_language", "tlh"),
        ("x", True),
    ):
        with pytest.raises(BadInput):
            actions.set_preferences(address, {"acknowledge_posts": True, name: value})
    actions.set_preferences(address, {"preferred_language": "de", "hide_address": True})
    actions.set_preferences(address, {"hide_address": None})
    address.refresh_from_db()
    assert (address.preferred_language, address.hide_address, address.acknowledge_posts) == ("de", None, None)


def test_people_are_found_by_part_of_name_or_address_in_any_case():
    anne = actions.create_user("anne@example.com", "Anne Person")
    bart = actions.create_user("bart@example.org", "Bart")
    actions.add_address(bart, "b@anne.example", "Bartholomew")
    assert list(queries.search("PERSON")) == [anne]
    assert list(queries.search("Anne")) == [anne, bart]
    assert list(queries.search("holomew")) == [bart]
    assert not queries.search("zzz")


def test_sign_in_follows_verifying_and_unlinking():
    user = actions.create_user("anne@example.com", password="s3cret")
    address = user.addresses.get()
    assert sign_in_rows("anne@example.com") == [(user, False, True)]
    actions.verify(address)
    first = address.verified_on
    actions.verify(address)
    assert address.verified_on == first
    assert sign_in_rows("anne@example.com") == [(user, True, True)]
    assert User.objects.get().email == "anne@example.com"
    actions.unverify(address)
    assert sign_in_rows("anne@example.com") == [(user, False, True)]
    actions.unlink(address)
    assert sign_in_rows("anne@example.com") == []
    assert User.objects.get().email == ""


def test_one_can_sign_in_by_any_of_ones_addresses():
    user = actions.create_user("anne@example.com", password="s3cret")
    actions.add_address(user, "second@example.com")
    request = RequestFactory().post("/accounts/login/")
    for email in ("anne@example.com", "SECOND@example.com"):
        assert authenticate(request, email=email, password="s3cret") == user
        assert authenticate(request, email=email, password="wrong") is None


def test_who_proves_an_address_when_signing_up_owns_it_here():
    subscribed = actions.ensure_address("anne@example.com")
    user = User.objects.create_user("anne@example.com", "s3cret")
    EmailAddress.objects.create(user=user, email="anne@example.com", verified=True, primary=True)
    actions.adopt(user)
    subscribed.refresh_from_db()
    user.refresh_from_db()
    assert subscribed.user == user
    assert subscribed.verified_on is not None
    assert user.preferred_address == subscribed


def test_who_never_proved_an_address_loses_it_to_the_one_who_does():
    squatter = actions.create_user("bart@example.com", is_server_owner=True)
    address = actions.add_address(squatter, "anne@example.com")
    user = User.objects.create_user("anne@example.com", "s3cret")
    EmailAddress.objects.create(user=user, email="anne@example.com", verified=True, primary=True)
    actions.adopt(user)
    address.refresh_from_db()
    user.refresh_from_db()
    assert address.user == user
    assert not user.is_superuser
    assert [a.email for a in squatter.addresses.all()] == ["bart@example.com"]
    assert sign_in_rows("anne@example.com") == [(user, True, True)]


def test_allauth_asks_our_adapter():
    from allauth.account.adapter import get_adapter

    assert isinstance(get_adapter(), Accounts)


def test_an_address_is_renamed_with_everything_that_hangs_on_it():
    user = actions.create_user("anne@example.org", password="long enough")
    address = queries.find_address("anne@example.org")
    actions.verify(address)
    actions.rename_address(address, "Anne@Example.com")
    user.refresh_from_db()
    assert queries.find_address("anne@example.org") is None
    assert queries.find_user("anne@example.com") == user
    assert user.email == "anne@example.com"
    assert address.verified_on is not None


def test_an_address_is_not_renamed_into_another():
    actions.ensure_address("bart@example.org")
    address = actions.ensure_address("anne@example.org")
    with pytest.raises(Conflict):
        actions.rename_address(address, "Bart@example.org")
    with pytest.raises(BadInput):
        actions.rename_address(address, "anne@example.org")
    actions.rename_address(address, "Anne@example.org")
    assert address.original_email == "Anne@example.org"
