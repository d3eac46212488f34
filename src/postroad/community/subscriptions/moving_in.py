"""The verbs of importers: many memberships at once, and requests whose secret was mailed by another system."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from postroad.community.people.actions import check_preferences
from postroad.community.people.models import PREFERENCE_NAMES, Address, User
from postroad.community.subscriptions.models import Member, Pending
from postroad.community.subscriptions.tokens import hashed, new_token
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import identity

_ACTIONS = (None, "hold", "reject", "discard", "accept", "defer")
_FIELDS = (
    "mailing_list", "role", "address", "user", "email", "moderation_action", "bounce_score", "last_bounce_received",
    "last_warning_sent", "total_warnings_sent", *PREFERENCE_NAMES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership as another system knew it: of an address or of a user, by the keys of their rows."""

    uuid: UUID
    mailing_list: int
    role: str
    address: int | None = None
    user: int | None = None
    moderation_action: str | None = None
    bounce_score: int = 0
    last_bounce_received: datetime | None = None
    last_warning_sent: datetime | None = None
    total_warnings_sent: int = 0
    preferences: Mapping[str, Any] = field(default_factory=dict)


def bring_members(memberships: Sequence[Membership]) -> list[int]:
    """Make these memberships, or make those with the same UUID like them; the keys of their rows, in order.

    Nobody is greeted and nobody told. Raises IntegrityError for one who is in this role on this list already.

    Raises:
        BadInput: an unknown role or action, or preferences that are not allowed; nothing is written then.
    """
    emails = dict(Address.objects.filter(pk__in=[m.address for m in memberships]).values_list("pk", "email"))
    preferring = User.objects.filter(pk__in=[m.user for m in memberships])
    preferred = dict(preferring.values_list("pk", "preferred_address__email"))
    rows = []
    for m in memberships:
        if m.role not in Member.Role.values or m.moderation_action not in _ACTIONS:
            raise BadInput(f"a {m.role} whose posts one should {m.moderation_action}: there is no such membership")
        check_preferences(m.preferences)
        rows.append(
            Member(
                uuid=m.uuid,
                mailing_list_id=m.mailing_list,
                role=m.role,
                address_id=m.address,
                user_id=m.user,
                email=emails.get(m.address or 0) or preferred.get(m.user or 0),
                moderation_action=m.moderation_action,
                bounce_score=m.bounce_score,
                last_bounce_received=m.last_bounce_received,
                last_warning_sent=m.last_warning_sent,
                total_warnings_sent=m.total_warnings_sent,
                **m.preferences,
            )
        )
    Member.objects.bulk_create(rows, update_conflicts=True, unique_fields=["uuid"], update_fields=_FIELDS)
    return [row.pk for row in rows]


def note_last_digest(mailing_list: int, address: int, mode: str) -> int | None:
    """Let somebody who left this kind of digest while one was being collected get that one still.

    The key of the membership; None if the address is no member, by itself or as a user's.
    """
    members = Member.objects.filter(mailing_list=mailing_list, role=Member.Role.MEMBER)
    member = members.filter(Q(address=address) | Q(user__addresses=address)).order_by("pk").first()
    if member is None:
        return None
    member.digest_left, member.digest_left_at = mode, time.time()
    member.save(update_fields=["digest_left", "digest_left_at"])
    return member.pk


def remove_members(keys: Sequence[int]) -> None:
    """End memberships; nobody is told."""
    Member.objects.filter(pk__in=keys).delete()


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to join or leave that waits for a word; `token` is the secret that was mailed."""

    token: str
    kind: str
    list_id: str
    email: str
    owner: str
    """`subscriber` or `moderator`."""
    expires_at: datetime
    created_at: datetime
    display_name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The wish's options, as `workflow` keeps them."""


def bring_request(request: Request) -> int:
    """Let a request wait whose secret somebody holds already; the key of its row.

    Raises:
        BadInput: it waits for nobody, or is of another kind.
    """
    if request.owner not in ("subscriber", "moderator") or request.kind not in Pending.Kind.values:
        raise BadInput(f"a {request.kind} that waits for {request.owner or 'nobody'}: there is no such request")
    # Moderators name a request by its token over REST; a subscriber's is a secret and is not kept.
    token = request.token if request.owner == "moderator" else new_token()
    row, _ = Pending.objects.update_or_create(
        token_hash=hashed(request.token),
        defaults={
            "token": token, "kind": request.kind, "list_id": request.list_id, "email": identity(request.email),
            "display_name": request.display_name[:255], "token_owner": request.owner, "data": dict(request.data),
            "created_at": request.created_at, "expires_at": request.expires_at,
        },
    )  # fmt: skip
    return row.pk


def remove_requests(keys: Sequence[int]) -> None:
    """Take away requests that wait no more."""
    Pending.objects.filter(pk__in=keys).delete()
