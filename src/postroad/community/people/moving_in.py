"""The verbs of importers: many users and addresses at once, as they were elsewhere, by a few statements each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import connection

from postroad.community.people.actions import check_preferences, delete_address
from postroad.community.people.models import PREFERENCE_NAMES, Address, User
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import identity, is_valid_email

LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Person:
    """A user as another system knew it."""

    uuid: UUID
    created_on: datetime
    display_name: str = ""
    email: str = ""
    """The contact address, one of the user's own."""
    password: str = ""
    """A hash Django can check (`PASSWORD_HASHERS`); empty for none."""
    is_active: bool = True
    is_staff: bool = False
    is_server_owner: bool = False
    last_login: datetime | None = None
    preferences: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as another system knew it; `user` is the key of its owner's row."""

    email: str
    registered_on: datetime
    display_name: str = ""
    verified_on: datetime | None = None
    user: int | None = None
    is_preferred: bool = False
    """Mail for its user goes there."""
    preferences: Mapping[str, Any] = field(default_factory=dict)


_USER_FIELDS = (
    "email", "display_name", "password", "is_active", "is_staff", "is_superuser", "last_login", "created_on",
    *PREFERENCE_NAMES,
)  # fmt: skip
_ADDRESS_FIELDS = ("original_email", "display_name", "registered_on", "verified_on", "user", *PREFERENCE_NAMES)


def bring_users(people: Sequence[Person]) -> list[int]:
    """Make these users, or make those with the same UUID like them; the keys of their rows, in order.

    Raises:
        BadInput: preferences that are not allowed; nothing is written then.
    """
    none = make_password(None)
    rows = []
    for person in people:
        check_preferences(person.preferences)
        rows.append(
            User(
                uuid=person.uuid,
                email=identity(person.email)[:255],
                display_name=_line(person.display_name),
                password=person.password or none,
                is_active=person.is_active,
                is_staff=person.is_staff,
                is_superuser=person.is_server_owner,
                last_login=person.last_login,
                created_on=person.created_on,
                **person.preferences,
            )
        )
    User.objects.bulk_create(rows, update_conflicts=True, unique_fields=["uuid"], update_fields=_USER_FIELDS)
    return [row.pk for row in rows]


def _line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())[:LONGEST_NAME]


def bring_addresses(mailboxes: Sequence[Mailbox]) -> list[int]:
    """Make these addresses, or make those that are here like them; the keys of their rows, in order.

    Whoever owns one signs in with it, as after `actions.verify`. Addresses must differ in more than case.

    Raises:
        BadInput: one is no mail address, or preferences that are not allowed; nothing is written then.
    """
    rows = []
    for mailbox in mailboxes:
        if not is_valid_email(mailbox.email) or len(mailbox.email) > LONGEST_NAME:
            raise BadInput(f"Invalid email address: {mailbox.email}")
        check_preferences(mailbox.preferences)
        rows.append(
            Address(
                email=identity(mailbox.email),
                original_email=mailbox.email,
                display_name=_line(mailbox.display_name),
                registered_on=mailbox.registered_on,
                verified_on=mailbox.verified_on,
                user_id=mailbox.user,
                **mailbox.preferences,
            )
        )
    Address.objects.bulk_create(rows, update_conflicts=True, unique_fields=["email"], update_fields=_ADDRESS_FIELDS)
    owned = {mailbox.user for mailbox in mailboxes if mailbox.user is not None}
    contacts = dict(User.objects.filter(pk__in=owned).values_list("pk", "email"))
    let_sign_in(
        (row.user_id, row.email, row.verified_on is not None, contacts.get(row.user_id) == row.email)
        for row in rows
        if row.user_id is not None
    )
    preferred = [
        (row.pk, mailbox.user)
        for mailbox, row in zip(mailboxes, rows, strict=True)
        if mailbox.is_preferred and mailbox.user is not None
    ]
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE people_user SET preferred_address_id = %s WHERE id = %s", preferred)
    return [row.pk for row in rows]


def let_sign_in(sign_ins: Iterable[tuple[int, str, bool, bool]]) -> None:
    """Let users (by key) sign in with addresses: whether each was proved, and whether it is the contact address.

    Who proved an address before, and is somebody else, does not sign in with it any more.
    """
    wanted = {(user, identity(email)): (verified, primary) for user, email, verified, primary in sign_ins}
    there = EmailAddress.objects.filter(email__in={email for _, email in wanted})
    taken = {email for (_, email), (verified, _) in wanted.items() if verified}
    others = [pk for pk, user, email in there.values_list("pk", "user_id", "email") if (user, email) not in wanted]
    EmailAddress.objects.filter(pk__in=others, email__in=taken).delete()
    primaries = {user for (user, _), (_, primary) in wanted.items() if primary}
    EmailAddress.objects.filter(user__in=primaries, primary=True).update(primary=False)
    EmailAddress.objects.bulk_create(
        [
            EmailAddress(user_id=user, email=email, verified=verified, primary=primary)
            for (user, email), (verified, primary) in wanted.items()
        ],
        update_conflicts=True, unique_fields=["user", "email"], update_fields=["verified", "primary"],
    )  # fmt: skip


def remove_users(keys: Sequence[int]) -> None:
    """Take away users; their addresses stay and belong to nobody."""
    Address.objects.filter(user__in=keys).update(user=None)
    User.objects.filter(pk__in=keys).delete()


def remove_addresses(keys: Sequence[int]) -> None:
    """Take away addresses, with what is bound to them."""
    for address in Address.objects.filter(pk__in=keys):
        delete_address(address)
