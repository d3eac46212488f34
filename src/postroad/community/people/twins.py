"""Two addresses that are one mailbox: left by a release that told the two forms of a domain apart (ADR 12)."""

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings as django_settings
from django.db import transaction

from postroad.community.people.actions import absorb, delete_address, link_address, move_rows
from postroad.community.people.models import Address
from postroad.community.people.queries import find_address
from postroad.foundation.message.addresses import identity
from postroad.foundation.respelling import MAY_DIFFER


def find(email: str = "") -> Iterator[Address]:
    """Addresses that are kept beside one with their identity; all, or those of this mailbox."""
    rows = Address.objects.filter(email__regex=MAY_DIFFER).order_by("email")
    for row in rows:
        known_as = identity(row.email)
        if known_as != row.email and known_as == (identity(email) if email else known_as):
            yield row


@transaction.atomic
def unite(email: str) -> int:
    """Make one address of a mailbox's twins, which keeps all memberships; how many went into it."""
    address = find_address(email)
    if address is None:
        return 0
    twins = list(find(email))
    for twin in twins:
        _take_in(address, twin)
    return len(twins)


def _take_in(address: Address, twin: Address) -> None:
    if twin.user is not None and address.user is None:
        link_address(twin.user, address)
    elif twin.user is not None and address.user is not None and twin.user_id != address.user_id:
        absorb(address.user, twin.user)
    twin.refresh_from_db()
    if address.verified_on is None and twin.verified_on is not None:
        address.verified_on = twin.verified_on
        address.save(update_fields=["verified_on"])
    move_rows(address, twin)
    for label, _, column in django_settings.COPIES_OF_AN_ADDRESS:
        apps.get_model(label)._default_manager.filter(**{column: twin.email}).update(**{column: address.email})
    delete_address(twin)
