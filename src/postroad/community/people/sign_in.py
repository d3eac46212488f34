"""Keeps django-allauth's addresses, which people sign in with, in step with our own.

`actions` call `follow` after each change of ours; `adapter` calls `actions.adopt` after each change of allauth's.
"""

from allauth.account.models import EmailAddress

from postroad.community.people.models import Address, User
from postroad.foundation.message.addresses import identity
from postroad.foundation.rows import add


def follow(address: Address) -> None:
    """Let the address's user sign in with it, and nobody else who proved it before."""
    others = EmailAddress.objects.filter(email=address.email).exclude(user=address.user_id)
    if address.user is None or address.verified_on is not None:
        others.delete()
    else:
        others.filter(verified=True).delete()
    if address.user is None:
        return
    verified = address.verified_on is not None
    row, made = EmailAddress.objects.get_or_create(
        user=address.user, email=address.email, defaults={"verified": verified}
    )
    if not made and row.verified != verified:
        row.verified = verified
        row.save(update_fields=["verified"])
    settle(address.user)


def begin(address: Address) -> None:
    """Let the new user of a new address sign in with it."""
    verified = address.verified_on is not None
    add(EmailAddress, user_id=address.user_id, email=address.email, verified=verified, primary=True)


def rename(old: str, address: Address) -> None:
    """An address was changed to another: whoever signed in with it does so with the new one."""
    EmailAddress.objects.filter(email=old).update(email=address.email)
    follow(address)


def settle(user: User) -> None:
    """Make a verified address the user's contact address, if there is one and the present one is not."""
    rows = list(EmailAddress.objects.filter(user=user).order_by("-verified", "-primary", "pk"))
    first = rows[0].email if rows else ""
    for row in sorted(rows, key=lambda row: row.email == first):
        if row.primary != (row.email == first):
            row.primary = row.email == first
            row.save(update_fields=["primary"])
    if user.email != first:
        user.email = first
        user.save(update_fields=["email"])


def proved(user: User) -> list[str]:
    """The addresses this user has proved to own when signing in, in lower case."""
    return [
        identity(email)
        for email in EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    ]
