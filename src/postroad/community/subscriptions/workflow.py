"""The steps between a wish and its fulfilment: who must be asked, and what is done once all have said yes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroad.community.bans.queries import is_banned
from postroad.community.lists.models import MailingList
from postroad.community.notices import actions as notices
from postroad.community.notices import limits
from postroad.community.people import actions as people
from postroad.community.people import queries as people_queries
from postroad.community.people.models import PREFERENCE_NAMES, Address, User
from postroad.community.subscriptions import requests, settings
from postroad.community.subscriptions.consent import REST, Origin, note
from postroad.community.subscriptions.models import Member, Pending
from postroad.foundation.errors import BadInput, Conflict
from postroad.foundation.message.addresses import identity
from postroad.foundation.rows import insert

MODERATED = ("moderate", "confirm_then_moderate")
CONFIRMED = ("confirm", "confirm_then_moderate")

_KEPT_OPTIONS = ("delivery_mode", "delivery_status", "pre_approved", "invitation", "send_welcome_message")
"""What of a wish outlives the wait for a confirmation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a wish came to: done, or waiting for `token_owner` under a token, which moderators and REST may name."""

    member: Member | None = None
    token: str | None = None
    token_owner: str = "no_one"
    kind: str = Pending.Kind.SUBSCRIPTION


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to join, and how."""

    mailing_list: MailingList
    address: Address
    user: User | None
    """Set when the user is subscribed, with whatever address is preferred, rather than one address."""
    options: Mapping[str, Any]
    origin: Origin = field(default=REST)
    is_newcomers: bool = False
    """The address was never seen before, so nothing can be known of it."""

    @classmethod
    def of(
        cls, mailing_list: MailingList, subscriber: str | UUID, role: str, options: Mapping[str, Any], origin: Origin
    ) -> "Wish":
        """The wish of an address, or of a user by UUID.

        Raises:
            BadInput: no mail address, no such user, or one without preferred address.
        """
        if not isinstance(subscriber, UUID):
            name = options.get("display_name") or ""
            if role == Member.Role.MEMBER:
                newcomer = people.create_newcomer(subscriber, name, verified=bool(options.get("pre_verified")))
                if newcomer is not None:
                    return cls(mailing_list, newcomer, None, options, origin, is_newcomers=True)
            address = people.ensure_address(subscriber, name)
            return cls(mailing_list, address, None, options, origin)
        user = people_queries.find_user(subscriber)
        if user is None:
            raise BadInput("No such user")
        if user.preferred_address is None:
            raise BadInput("User without preferred address")
        # In other roles than member the address is put in, which then stays when another one is preferred.
        subscribed = user if role == Member.Role.MEMBER else None
        return cls(mailing_list, user.preferred_address, subscribed, options, origin)

    @classmethod
    def restored(cls, mailing_list: MailingList, pending: Pending, origin: Origin) -> "Wish":
        """The wish that waited."""
        user = people_queries.find_user(UUID(pending.data["user"])) if pending.data.get("user") else None
        address = people.ensure_address(pending.email, pending.display_name)
        return cls(mailing_list, address, user, pending.data, origin)

    @property
    def kept(self) -> dict[str, Any]:
        """What must be known when it goes on."""
        user = self.user.uuid.hex if self.user else None
        return {"user": user, **{name: self.options.get(name) for name in _KEPT_OPTIONS}}

    def check(self, role: str) -> None:
        """Whether it can be fulfilled at all.

        Raises:
            Conflict: a member already.
            BadInput: the list itself, banned, or in this role already.
        """
        email = self.address.email
        if email == identity(self.mailing_list.fqdn_listname) and role != Member.Role.NONMEMBER:
            raise BadInput("List posting address not allowed")
        if is_banned(email, self.mailing_list):
            raise BadInput("Membership is banned")
        if self.is_newcomers:
            return
        rows = Member.objects.filter(mailing_list=self.mailing_list, role=role)
        exists = rows.filter(user=self.user) if self.user else rows.filter(address=self.address)
        if exists.exists():
            if role == Member.Role.MEMBER:
                raise Conflict("Member already subscribed")
            raise BadInput(f"{email} is already a {role} of {self.mailing_list.fqdn_listname}")


# --- joining


def must_confirm(wish: Wish) -> bool:
    """Whether whoever reads the address's mail must say yes first."""
    policy = settings.subscription_policy.of(wish.mailing_list)
    unconfirmed = policy in CONFIRMED and not wish.options.get("pre_confirmed")
    return bool(wish.options.get("invitation")) or unconfirmed or wish.address.verified_on is None


def ask_to_join(wish: Wish, waiting: Pending | None) -> Outcome:
    """Mail a secret; whoever can read it owns the address."""
    invited = bool(wish.options.get("invitation"))
    template = "list:user:action:invite" if invited else "list:user:action:subscribe"
    asked = _Question(wish.mailing_list, wish.address, Pending.Kind.SUBSCRIPTION, template, wish.kept, wish.origin)
    note(wish.mailing_list.list_id, wish.address.email, "invited" if invited else "asked", wish.origin)
    return _ask(asked, waiting)


@dataclass(frozen=True, slots=True)
class _Question:
    """Something only the owner of an address can answer."""

    mailing_list: MailingList
    address: Address
    kind: Pending.Kind
    template: str
    data: Mapping[str, Any]
    origin: Origin


def _ask(q: _Question, waiting: Pending | None) -> Outcome:
    """Mail a secret, unless the address got enough of them; a question nobody can answer is not kept.

    What waits already takes the new wish and a new secret, so the old one cannot say yes to something else.
    """
    invited = q.template == "list:user:action:invite"
    may = limits.may_ask(q.mailing_list, q.address.email, invited=invited)
    if not may and (waiting is not None or q.origin.is_public):
        return Outcome(None, waiting.token if waiting else None, "subscriber", q.kind)
    if waiting is not None:
        pending, secret = waiting, requests.renew(waiting, q.data)
    else:
        pending, secret = requests.open_request(
            q.mailing_list, q.kind, q.address.email, "subscriber", q.data, display_name=q.address.display_name
        )
    if may:
        notices.ask_subscriber(q.mailing_list, q.template, q.address.original_email, secret)
    return Outcome(None, pending.token, "subscriber", q.kind)


def moderate_or_subscribe(wish: Wish) -> Outcome:
    """Go on when the subscriber has said yes."""
    policy = settings.subscription_policy.of(wish.mailing_list)
    if policy in MODERATED and not wish.options.get("pre_approved") and not wish.options.get("invitation"):
        return _ask_moderators(
            wish.mailing_list, Pending.Kind.SUBSCRIPTION, wish.address, wish.kept, "list:admin:action:subscribe"
        )
    return subscribe_and_greet(wish)


def _ask_moderators(
    mailing_list: MailingList, kind: Pending.Kind, address: Address, data: Mapping[str, Any], template: str
) -> Outcome:
    pending, secret = requests.open_request(
        mailing_list, kind, address.email, "moderator", data, display_name=address.display_name
    )
    notices.ask_owners(mailing_list, template, address.shown, mailing_list.address(f"confirm+{secret}"))
    return Outcome(None, pending.token, "moderator", kind)


def subscribe(wish: Wish, role: str) -> Member:
    """Make the membership; a member is no nonmember any more."""
    action = "accept" if role in (Member.Role.OWNER, Member.Role.MODERATOR) else None
    mode = wish.options.get("delivery_mode")
    if mode is None and role == Member.Role.MEMBER and settings.digest_is_default.of(wish.mailing_list):
        mode = settings.default_digest.of(wish.mailing_list)
    member = Member(
        mailing_list=wish.mailing_list, role=role, address=None if wish.user else wish.address, user=wish.user,
        moderation_action=action, delivery_mode=mode,
        delivery_status=wish.options.get("delivery_status"),
    )  # fmt: skip
    insert(member)
    if role == Member.Role.MEMBER:
        if not wish.is_newcomers:
            _end_nonmember(wish.mailing_list, wish.address)
        note(wish.mailing_list.list_id, wish.address.email, "joined", wish.origin)
    return member


def _end_nonmember(mailing_list: MailingList, address: Address) -> None:
    Member.objects.filter(mailing_list=mailing_list, role=Member.Role.NONMEMBER, address=address).delete()


def subscribe_and_greet(wish: Wish) -> Outcome:
    """Make the membership and tell those who want to know."""
    mailing_list = wish.mailing_list
    member = subscribe(wish, Member.Role.MEMBER)
    asked = wish.options.get("send_welcome_message")
    if settings.send_welcome_message.of(mailing_list) if asked is None else asked:
        notices.welcome(mailing_list, wish.address.original_email, wish.address.display_name)
    if settings.admin_notify_mchanges.of(mailing_list):
        notices.tell_owners(mailing_list, "list:admin:notice:subscribe", wish.address.shown)
    return Outcome(member)


# --- leaving


def leaving_policy(member: Member) -> str:
    """Who must be asked; somebody without any address cannot be."""
    return settings.unsubscription_policy.of(member.mailing_list) if member.effective_address else "open"


def ask_to_leave(member: Member, origin: Origin) -> Outcome:
    """Mail a secret to the member; a question that waits already is asked anew, not doubled."""
    address = member.effective_address
    assert address is not None  # Else the policy is open.
    kind = Pending.Kind.UNSUBSCRIPTION
    waiting = requests.waiting(member.mailing_list, kind, address.email)
    if waiting is not None and waiting.token_owner == "moderator":
        return Outcome(None, waiting.token, "moderator", kind)
    note(member.mailing_list.list_id, address.email, "asked", origin)
    asked = _Question(member.mailing_list, address, kind, "list:user:action:unsubscribe", {}, origin)
    return _ask(asked, waiting)


def moderate_or_unsubscribe(member: Member, origin: Origin, *, pre_approved: bool = False) -> Outcome:
    """Go on when the member has said yes."""
    address, kind = member.effective_address, Pending.Kind.UNSUBSCRIPTION
    if leaving_policy(member) not in MODERATED or pre_approved or address is None:
        return unsubscribe(member, origin)
    waiting = requests.waiting(member.mailing_list, kind, address.email)
    if waiting is not None and waiting.token_owner == "moderator":
        return Outcome(None, waiting.token, "moderator", kind)
    return _ask_moderators(member.mailing_list, kind, address, {}, "list:admin:action:unsubscribe")


def unsubscribe(
    member: Member, origin: Origin, *, goodbye: bool | None = None, notify_owners: bool | None = None
) -> Outcome:
    """End the membership and tell those who want to know; what the member did in person can be taken back.

    Whether a goodbye and a notice to the owners are sent is the list's setting, unless it is told.
    """
    mailing_list, address = member.mailing_list, member.effective_address
    email = address.email if address else ""
    secret = _open_undo(member, address) if address and origin.is_public else ""
    member.delete()
    requests.forget_of_members(mailing_list, [email])
    note(mailing_list.list_id, email, "left", origin)
    goodbye = settings.send_goodbye_message.of(mailing_list) if goodbye is None else goodbye
    notify = settings.admin_notify_mchanges.of(mailing_list) if notify_owners is None else notify_owners
    if goodbye and address is not None:
        notices.goodbye(mailing_list, address.original_email, secret, member.preferred_language or "")
    if notify:
        notices.tell_owners(mailing_list, "list:admin:notice:unsubscribe", address.shown if address else "")
    return Outcome(token=secret or None, kind=Pending.Kind.UNSUBSCRIPTION)


_RESTORED = (*PREFERENCE_NAMES, "moderation_action", "digest_frequency")


def _open_undo(member: Member, address: Address) -> str:
    data = {name: getattr(member, name) for name in _RESTORED}
    data["user"] = member.user.uuid.hex if member.user else None
    _, secret = requests.open_request(
        member.mailing_list, Pending.Kind.UNDO, address.email, "subscriber", data, display_name=address.display_name
    )
    return secret


def restore(mailing_list: MailingList, pending: Pending, origin: Origin) -> Member:
    """Take a leave back: the membership as it was, without a welcome.

    Raises:
        Conflict: a member again already.
        BadInput: banned meanwhile.
    """
    wish = Wish.restored(mailing_list, pending, origin)
    wish.check(Member.Role.MEMBER)
    kept = {name: pending.data.get(name) for name in _RESTORED}
    member = Member.objects.create(
        mailing_list=mailing_list, address=None if wish.user else wish.address, user=wish.user, **kept
    )
    _end_nonmember(mailing_list, wish.address)
    note(mailing_list.list_id, wish.address.email, "restored", origin)
    return member


# --- options

_OWN_OPTIONS = ("vacation_until", "digest_frequency")
"""Options of a membership that are no preferences: nothing asks another level about them."""


def check_options(values: Mapping[str, Any]) -> None:
    """Look at options before anybody is asked about them.

    Raises:
        BadInput: an unknown one, a value that is not allowed, or a vacation that is over.
    """
    people.check_preferences({name: value for name, value in values.items() if name not in _OWN_OPTIONS})
    frequency = values.get("digest_frequency")
    if frequency is not None and frequency not in ("list", *Member.DigestFrequency.values):
        raise BadInput(f"Not list, {', '.join(Member.DigestFrequency.values)}: {frequency}")
    until = values.get("vacation_until")
    if until is None:
        return
    try:
        is_past = date.fromisoformat(str(until)) <= timezone.now().date()
    except ValueError:
        raise BadInput(f"Not a date such as 2027-01-31: {until}") from None
    if is_past:
        raise BadInput(f"This day is past: {until}")


def apply_options(member: Member, values: Mapping[str, Any], origin: Origin) -> None:
    """Change what a member gets; whoever switches delivery by hand ends a vacation."""
    changes = dict(values)
    until = changes.pop("vacation_until", None)
    if "digest_frequency" in changes:
        frequency = changes.pop("digest_frequency")
        set_digest_frequency(member, None if frequency == "list" else frequency)
    people.set_preferences(member, changes)
    if "delivery_status" in changes:
        member.vacation_until = date.fromisoformat(until) if until else None
        member.save(update_fields=["vacation_until"])
    email = member.effective_address.email if member.effective_address else ""
    note(member.mailing_list.list_id, email, "changed", origin)


def set_digest_frequency(member: Member, frequency: str | None) -> None:
    """Choose how often the member's digests come, None: as the list's; who changes it gets the last of the old ones."""
    if frequency != member.digest_frequency:
        member.frequency_left, member.frequency_left_at = member.digest_frequency or "", time.time()
        member.digest_frequency = frequency
        member.save(update_fields=["digest_frequency", "frequency_left", "frequency_left_at"])


def ask_about_options(member: Member, values: Mapping[str, Any], origin: Origin) -> Outcome:
    """Mail a secret to the member: anybody can write somebody else's address into From."""
    address, kind = member.effective_address, Pending.Kind.OPTIONS
    if address is None:
        raise BadInput("This membership has no address that could be asked.")
    waiting = requests.waiting(member.mailing_list, kind, address.email)
    return _ask(
        _Question(member.mailing_list, address, kind, "list:user:action:options", dict(values), origin), waiting
    )


def end_vacations() -> None:
    """Switch delivery on again for whom the day has come."""
    over = Member.objects.filter(vacation_until__lte=timezone.now().date())
    over.filter(delivery_status="by_user").update(delivery_status=None)
    over.update(vacation_until=None)
