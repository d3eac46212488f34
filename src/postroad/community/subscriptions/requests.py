"""What waits for a word: opened with a secret that is mailed and never kept, found by it, dropped when too old."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.models import Pending
from postroad.community.subscriptions.tokens import hashed, new_token
from postroad.foundation.configuration import current

_IN_ONE_QUERY = 500
UNDO_DAYS = 7.0
"""A leave can be taken back for so long (facts: security T26)."""


def open_request(
    mailing_list: MailingList,
    kind: Pending.Kind,
    email: str,
    owner: str,
    data: Mapping[str, Any],
    *,
    display_name: str = "",
) -> tuple[Pending, str]:
    """Let something wait for its `owner`; returns it and its secret, 160 bits in 40 hexadecimal digits."""
    secret = new_token()
    pending = Pending.objects.create(
        token_hash=hashed(secret), token=new_token(), kind=kind, list_id=mailing_list.list_id, email=email,
        display_name=display_name, token_owner=owner, data=dict(data),
        expires_at=timezone.now() + timedelta(days=_days(kind, owner)),
    )  # fmt: skip
    return pending, secret


def _days(kind: str, owner: str) -> float:
    if kind == Pending.Kind.UNDO:
        return UNDO_DAYS
    mail = current().mail
    return mail.pending_request_days if owner == "subscriber" else mail.moderator_request_days


def renew(pending: Pending, data: Mapping[str, Any]) -> str:
    """A new secret and new data for something that waits already; the old secret is worth nothing."""
    secret = new_token()
    pending.data = dict(data)
    pending.token_hash = hashed(secret)
    pending.expires_at = timezone.now() + timedelta(days=_days(pending.kind, pending.token_owner))
    pending.save(update_fields=["token_hash", "data", "expires_at"])
    return secret


def waiting(mailing_list: MailingList, kind: Pending.Kind, email: str) -> Pending | None:
    """What of this kind waits for this address."""
    return Pending.objects.filter(
        kind=kind, list_id=mailing_list.list_id, email=email, expires_at__gt=timezone.now()
    ).first()


def for_moderators(mailing_list: MailingList) -> "QuerySet[Pending]":
    """Joins and leaves that wait for a moderator, the oldest first."""
    kinds = (Pending.Kind.SUBSCRIPTION, Pending.Kind.UNSUBSCRIPTION)
    return Pending.objects.filter(
        list_id=mailing_list.list_id, token_owner="moderator", kind__in=kinds, expires_at__gt=timezone.now()
    ).order_by("pk")


def forget_of_members(mailing_list: MailingList, emails: Sequence[str]) -> None:
    """Drop what waits about memberships that ended: who joins again has not asked for it."""
    kinds = (Pending.Kind.UNSUBSCRIPTION, Pending.Kind.OPTIONS)
    waiting = Pending.objects.filter(list_id=mailing_list.list_id, kind__in=kinds)
    for start in range(0, len(emails), _IN_ONE_QUERY):
        waiting.filter(email__in=emails[start : start + _IN_ONE_QUERY]).delete()


def forget_expired() -> None:
    """Drop what nobody answered in time."""
    Pending.objects.filter(expires_at__lte=timezone.now()).delete()
