"""What somebody may do with a list: the one table that pages, tokens, archives and answers by mail ask."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from django.db.models import Q, Value

from postroad.community.lists.models import Domain
from postroad.community.people.models import Address, User
from postroad.community.subscriptions.models import Member
from postroad.foundation.message.addresses import identity
from postroad.foundation.rest.operation import Right

BY_ROLE: Mapping[str, Right] = MappingProxyType({"moderator": "moderate", "owner": "manage"})
"""What a role on a list gives. Who owns a domain is as an owner of its lists; who owns the server may do everything."""
_ORDER: tuple[Right, ...] = ("read", "moderate", "manage", "site")


def includes(right: str | None, wanted: str) -> bool:
    """Whether one right holds another; None holds nothing."""
    return right is not None and _ORDER.index(right) >= _ORDER.index(wanted)


def right_on(user: Any, mailing_list: int) -> Right | None:
    """The most somebody may do on a list: as a user, or by an address that is shown to be theirs."""
    if not (isinstance(user, User) and user.is_active):
        return None
    if user.is_superuser:
        return "site"
    by_address = Q(address__user=user, address__verified_on__isnull=False)
    own = Member.objects.filter(Q(user=user) | by_address, mailing_list=mailing_list, role__in=BY_ROLE)
    of_domain = Domain.objects.filter(lists=mailing_list, owners=user)
    roles = {role for (role,) in own.values_list("role").union(of_domain.values_list(Value("owner")))}
    return max((BY_ROLE[role] for role in roles), key=_ORDER.index, default=None)


def may_moderate(user: Any, mailing_list: int) -> bool:
    """Whether somebody may decide about held posts and requests, and delete from the archive."""
    return includes(right_on(user, mailing_list), "moderate")


def may_own(user: Any, mailing_list: int) -> bool:
    """Whether somebody may change a list's settings, texts and webhooks."""
    return includes(right_on(user, mailing_list), "manage")


def moderates_by_mail(email: str, mailing_list: int) -> bool:
    """Whether a mail that is proved to be from this address is a moderator's word.

    The proof shows whose the address is, verified here or not; whether mail is delivered to it is no matter.
    """
    closed = Q(user__is_active=False) | Q(address__user__is_active=False)
    roles = Member.objects.filter(mailing_list=mailing_list, email=identity(email), role__in=BY_ROLE)
    if roles.exclude(closed).exists():
        return True
    address = Address.objects.filter(email=identity(email), verified_on__isnull=False).select_related("user").first()
    return address is not None and may_moderate(address.user, mailing_list)


def on_lists(user: User, roles: Collection[str]) -> Q:
    """Which lists somebody has one of these roles on, as a user or by a verified address, or owns by the domain.

    Each by an index of its own: no list's members are read.
    """
    rows = Member.objects.filter(role__in=roles)
    by_address = rows.filter(address__user=user, address__verified_on__isnull=False)
    return (
        Q(pk__in=rows.filter(user=user).values("mailing_list"))
        | Q(pk__in=by_address.values("mailing_list"))
        | Q(domain__in=user.owned_domains.all())
    )
