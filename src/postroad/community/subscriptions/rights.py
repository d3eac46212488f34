"""What somebody who is signed in may do with a list: as a user, or by an address they have verified."""

from collections.abc import Collection
from typing import Any

from django.db.models import Q

from postroad.community.people.models import User
from postroad.community.subscriptions.models import Member

OWNERS = ("owner",)
MODERATORS = ("owner", "moderator")


def may_moderate(user: Any, mailing_list: int) -> bool:
    """Whether somebody moderates this list: its owners and moderators, and the site's owners."""
    return _has_role(user, mailing_list, MODERATORS)


def may_own(user: Any, mailing_list: int) -> bool:
    """Whether somebody owns this list: its owners, and the site's owners."""
    return _has_role(user, mailing_list, OWNERS)


def _has_role(user: Any, mailing_list: int, roles: Collection[str]) -> bool:
    if not (isinstance(user, User) and user.is_active):
        return False
    by_address = Q(address__user=user, address__verified_on__isnull=False)
    rows = Member.objects.filter(Q(user=user) | by_address, mailing_list=mailing_list, role__in=roles)
    return user.is_superuser or rows.exists()
