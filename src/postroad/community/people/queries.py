"""Finding people and their addresses."""

from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from postroad.community.people import trigrams
from postroad.community.people.models import Address, User
from postroad.foundation.message.addresses import identity


def find_address(email: str) -> Address | None:
    """The address, in any case."""
    return Address.objects.select_related("user").filter(email=identity(email)).first()


def is_known(email: str) -> bool:
    """Whether anybody ever used this address here, or wants to sign in with it."""
    address = identity(email)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM people_address WHERE email = %s"
            " UNION ALL SELECT 1 FROM account_emailaddress WHERE email = %s LIMIT 1",
            (address, address),
        )
        return cursor.fetchone() is not None


def find_user(uuid_or_email: UUID | str) -> User | None:
    """The user of this UUID (in any of its forms) or of this address."""
    if isinstance(uuid_or_email, str) and "@" in uuid_or_email:
        return User.objects.filter(addresses__email=identity(uuid_or_email)).first()
    try:
        uuid = uuid_or_email if isinstance(uuid_or_email, UUID) else UUID(uuid_or_email)
    except ValueError:
        return None
    return User.objects.filter(uuid=uuid).first()


def search(words: str) -> "QuerySet[User]":
    """Users with these words, in any case, in their name or in name or spelling of one of their addresses."""
    pieces = ("", words, "")
    addresses, spelled = trigrams.addresses(pieces)
    users, called = trigrams.users(pieces)
    keys = RawSQL(f"SELECT a.user_id {addresses} UNION SELECT u.id {users}", (*spelled, *called))  # noqa: S611
    return User.objects.filter(pk__in=keys).order_by("pk")


def language_of(email: str) -> str | None:
    """The language its reader chose for the address, else for the user; None when neither did."""
    row = Address.objects.filter(email=identity(email)).values_list("preferred_language", "user__preferred_language")
    return next((language for pair in row for language in pair if language), None)
