"""Accounts made by an administrator: somebody who can sign in at once."""

from django.db import transaction

from postroad.community.people.actions import change_user, create_user, verify
from postroad.community.people.models import User
from postroad.community.people.queries import find_address, find_user
from postroad.foundation.errors import BadInput


@transaction.atomic
def open_account(
    email: str, display_name: str = "", password: str | None = None, *, is_server_owner: bool = False
) -> User:
    """A user with this address, verified: a new one, or who is known by a list only and never had a password.

    Raises:
        BadInput: no mail address, or who has it has a password already.
    """
    user = find_user(email)
    if user is None:
        user = create_user(email, display_name, password, is_server_owner=is_server_owner)
    elif user.has_usable_password():
        raise BadInput(f"Address belongs to a user already: {email}")
    else:
        change_user(
            user,
            display_name=display_name or None,
            cleartext_password=password,
            is_server_owner=is_server_owner or None,
        )
    address = find_address(email)
    if address is not None:
        verify(address)
    return user
