"""The verbs of membership: join, leave, confirm, decide, change. Every surface calls these.

The way of a join or leave depends on the list's policy (facts: mail-flow §24, §25): a step that needs somebody leaves
a `Pending` behind, and going on removes it, so no token works twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from postroad.community.bans.queries import is_banned
from postroad.community.lists.models import MailingList
from postroad.community.notices import actions as notices
from postroad.community.people import actions as people
from postroad.community.people import queries as people_queries
from postroad.community.people.models import Address, User
from postroad.community.subscriptions import queries, settings
from postroad.community.subscriptions.models import Member, Pending
from postroad.community.subscriptions.tokens import hashed, new_token
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput, Conflict, NotFound

MODERATED = ("moderate", "confirm_then_moderate")
CONFIRMED = ("confirm", "confirm_then_moderate")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a join or leave came to: done, or waiting for somebody under a token."""

    member: Member | None = None
    token: str | None = None
    token_owner: str = "no_one"


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who wants to join, and how."""

    mailing_list: MailingList
    address: Address
    user: User | None
    options: dict[str, Any]

    @property
    def as_user(self) -> bool:
        """Whether the user is subscribed rather than the address."""
        return self.user is not None


@transaction.atomic
def join(mailing_list: MailingList, subscriber: str | UUID, *, role: str = "member", **options: Any) -> Outcome:
    """Subscribe an address, or a user by UUID, as the list's policy and the `pre_…` options allow.

    Options: display_name, delivery_mode, delivery_status, pre_verified, pre_confirmed, pre_approved, invitation,
    send_welcome_message.

    Raises:
        Conflict: subscribed already, or such a request waits.
        BadInput: banned, the list itself, a user without preferred address.
    """
    wish = _wish(mailing_list, subscriber, options)
    _check(wish, role)
    if role != Member.Role.MEMBER:
        return Outcome(_subscribe(wish, role))
    if Pending.objects.filter(
        kind="subscription", list_id=mailing_list.list_id, email=wish.address.email, expires_at__gt=timezone.now()
    ).exists():
        raise Conflict("Subscription request already pending")
    if options.get("pre_verified") and wish.address.verified_on is None:
        people.verify(wish.address)
    policy = settings.subscription_policy.of(mailing_list)
    unconfirmed = policy in CONFIRMED and not options.get("pre_confirmed")
    if options.get("invitation") or unconfirmed or wish.address.verified_on is None:
        return _ask_subscriber(wish)
    return _moderate_or_subscribe(wish)


def _wish(mailing_list: MailingList, subscriber: str | UUID, options: dict[str, Any]) -> _Wish:
    if isinstance(subscriber, UUID):
        user = people_queries.find_user(subscriber)
        if user is None:
            raise BadInput("No such user")
        if user.preferred_address is None:
            raise BadInput("User without preferred address")
        return _Wish(mailing_list, user.preferred_address, user, options)
    address = people.ensure_address(subscriber, options.get("display_name") or "")
    return _Wish(mailing_list, address, None, options)


def _check(wish: _Wish, role: str) -> None:
    email = wish.address.email
    if email == wish.mailing_list.fqdn_listname and role != Member.Role.NONMEMBER:
        raise BadInput("List posting address not allowed")
    if is_banned(email, wish.mailing_list):
        raise BadInput("Membership is banned")
    rows = Member.objects.filter(mailing_list=wish.mailing_list, role=role)
    exists = rows.filter(user=wish.user) if wish.as_user else rows.filter(address=wish.address)
    if exists.exists():
        if role == Member.Role.MEMBER:
            raise Conflict("Member already subscribed")
        raise BadInput(f"{email} is already a {role} of {wish.mailing_list.fqdn_listname}")


def _moderate_or_subscribe(wish: _Wish) -> Outcome:
    policy = settings.subscription_policy.of(wish.mailing_list)
    if policy in MODERATED and not wish.options.get("pre_approved") and not wish.options.get("invitation"):
        pending, _ = _wait(wish, "moderator")
        notices.ask_owners(wish.mailing_list, "list:admin:action:subscribe", wish.address.email)
        return Outcome(None, pending.token, "moderator")
    member = _subscribe(wish, Member.Role.MEMBER)
    _welcome(wish, member)
    return Outcome(member)


def _subscribe(wish: _Wish, role: str) -> Member:
    """Make the membership and end every nonmember record of the address."""
    action = "accept" if role in (Member.Role.OWNER, Member.Role.MODERATOR) else None
    member = Member.objects.create(
        mailing_list=wish.mailing_list, role=role, address=None if wish.as_user else wish.address, user=wish.user,
        moderation_action=action, delivery_mode=wish.options.get("delivery_mode"),
        delivery_status=wish.options.get("delivery_status"),
    )  # fmt: skip
    if role == Member.Role.MEMBER:
        Member.objects.filter(mailing_list=wish.mailing_list, role=Member.Role.NONMEMBER, address=wish.address).delete()
    return member


def _welcome(wish: _Wish, member: Member) -> None:
    mailing_list = wish.mailing_list
    asked = wish.options.get("send_welcome_message")
    if settings.send_welcome_message.of(mailing_list) if asked is None else asked:
        notices.welcome(mailing_list, wish.address.original_email, wish.address.display_name)
    if settings.admin_notify_mchanges.of(mailing_list):
        notices.tell_owners(mailing_list, "list:admin:notice:subscribe", wish.address.email)


def _ask_subscriber(wish: _Wish) -> Outcome:
    """Mail a token; whoever can read it owns the address."""
    pending, secret = _wait(wish, "subscriber")
    template = "list:user:action:invite" if wish.options.get("invitation") else "list:user:action:subscribe"
    notices.ask_subscriber(wish.mailing_list, template, wish.address.original_email, secret)
    return Outcome(None, pending.token, "subscriber")


def _wait(wish: _Wish, owner: str, kind: str = "subscription") -> tuple[Pending, str]:
    """Leave the request behind; returns it and the secret that is mailed and never kept."""
    secret = new_token()
    mail = current().mail
    days = mail.pending_request_days if owner == "subscriber" else mail.moderator_request_days
    wanted = ("delivery_mode", "delivery_status", "pre_approved", "invitation", "send_welcome_message")
    pending = Pending.objects.create(
        token_hash=hashed(secret), token=new_token(), kind=kind, list_id=wish.mailing_list.list_id,
        email=wish.address.email, display_name=wish.address.display_name, token_owner=owner,
        data={"user": wish.user.uuid.hex if wish.user else None, **{k: wish.options.get(k) for k in wanted}},
        expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    return pending, secret


@transaction.atomic
def confirm(secret: str) -> Outcome:
    """Go on with what was mailed to the subscriber under this token.

    Raises:
        NotFound: no such token, used already, or too old.
    """
    pending = Pending.objects.filter(token_hash=hashed(secret.strip().lower()), expires_at__gt=timezone.now()).first()
    if pending is None or pending.token_owner != "subscriber":
        raise NotFound("This token is unknown, was used already, or is too old. Please begin again.")
    return _confirmed(pending)


def _confirmed(pending: Pending) -> Outcome:
    mailing_list = MailingList.objects.get(list_id=pending.list_id)
    pending.delete()
    if pending.kind == "unsubscription":
        member = queries.member_of(mailing_list, pending.email)
        if member is None:
            return Outcome()
        return _moderate_or_unsubscribe(member, pending.email, pre_approved=False)
    wish = _restored(mailing_list, pending)
    people.verify(wish.address)
    _check(wish, Member.Role.MEMBER)
    return _moderate_or_subscribe(wish)


def _restored(mailing_list: MailingList, pending: Pending) -> _Wish:
    user = people_queries.find_user(UUID(pending.data["user"])) if pending.data.get("user") else None
    address = people.ensure_address(pending.email, pending.display_name)
    return _Wish(mailing_list, address, user, {k: v for k, v in pending.data.items() if k != "user"})


@transaction.atomic
def decide(pending: Pending, action: str, reason: str = "") -> Outcome:
    """A moderator's word on a waiting request: accept goes on, reject tells why, discard is silent, others wait.

    Raises:
        Conflict: accepted, but the address is a member already.
    """
    mailing_list = MailingList.objects.get(list_id=pending.list_id)
    if action in ("defer", "hold"):
        return Outcome(None, pending.token, pending.token_owner)
    if action == "accept" and pending.token_owner == "subscriber":
        return _confirmed(pending)
    pending.delete()
    if action == "accept":
        if pending.kind == "unsubscription":
            member = queries.member_of(mailing_list, pending.email)
            return _unsubscribe(member, pending.email) if member else Outcome()
        wish = _restored(mailing_list, pending)
        _check(wish, Member.Role.MEMBER)
        member = _subscribe(wish, Member.Role.MEMBER)
        _welcome(wish, member)
        return Outcome(member)
    if action == "reject":
        notices.refuse_request(mailing_list, pending.email, reason)
    return Outcome()


@transaction.atomic
def leave(member: Member, *, pre_confirmed: bool = True, pre_approved: bool = False) -> Outcome:
    """End a membership as the list's policy allows; other roles than member end at once."""
    email = member.effective_address.email if member.effective_address else ""
    if member.role != Member.Role.MEMBER:
        member.delete()
        return Outcome()
    policy = settings.unsubscription_policy.of(member.mailing_list)
    if policy in CONFIRMED and not pre_confirmed:
        address = member.effective_address
        if address is None:
            return _unsubscribe(member, email)
        pending, secret = _wait(_Wish(member.mailing_list, address, member.user, {}), "subscriber", "unsubscription")
        notices.ask_subscriber(member.mailing_list, "list:user:action:unsubscribe", address.original_email, secret)
        return Outcome(None, pending.token, "subscriber")
    if policy == "confirm_then_moderate":
        return _unsubscribe(member, email)  # Confirmed beforehand: Mailman asks no moderator then.
    return _moderate_or_unsubscribe(member, email, pre_approved=pre_approved)


def _moderate_or_unsubscribe(member: Member, email: str, *, pre_approved: bool) -> Outcome:
    address = member.effective_address
    policy = settings.unsubscription_policy.of(member.mailing_list)
    if policy in MODERATED and not pre_approved and address is not None:
        pending, _ = _wait(_Wish(member.mailing_list, address, member.user, {}), "moderator", "unsubscription")
        notices.ask_owners(member.mailing_list, "list:admin:action:unsubscribe", email)
        return Outcome(None, pending.token, "moderator")
    return _unsubscribe(member, email)


def _unsubscribe(member: Member, email: str) -> Outcome:
    mailing_list = member.mailing_list
    member.delete()
    if settings.send_goodbye_message.of(mailing_list) and email:
        notices.goodbye(mailing_list, email)
    if settings.admin_notify_mchanges.of(mailing_list):
        notices.tell_owners(mailing_list, "list:admin:notice:unsubscribe", email)
    return Outcome()


@transaction.atomic
def end_by_link(member: Member) -> None:
    """The reader pressed unsubscribe (RFC 8058 §3.2): it ends at once, whatever the policy, without a question."""
    email = member.effective_address.email if member.effective_address else ""
    _unsubscribe(member, email)


@transaction.atomic
def remove_members(mailing_list: MailingList, emails: Sequence[str]) -> Mapping[str, bool]:
    """End the memberships of these addresses without any mail; for each, whether there was one."""
    results: dict[str, bool] = {}
    for email in emails:
        member = queries.member_of(mailing_list, email)
        results[email] = member is not None
        if member is not None:
            member.delete()
    return results


@transaction.atomic
def change_member(member: Member, **changes: Any) -> None:
    """Change a membership's address, delivery mode or moderation action.

    Raises:
        BadInput: an address that is unknown, unverified, or of another person.
    """
    if "address" in changes:
        address = people_queries.find_address(changes.pop("address"))
        if address is None:
            raise BadInput("Address not registered")
        if address.verified_on is None:
            raise BadInput("Unverified address")
        owner = member.address.user_id if member.address else None
        if member.address is None or address.user_id is None or address.user_id != owner:
            raise BadInput("Address is not controlled by user")
        member.address = address
    for name, value in changes.items():
        setattr(member, name, value)
    member.save()


@transaction.atomic
def set_preferences(member: Member, values: Mapping[str, Any]) -> None:
    """Set preferences of a membership; None asks the next level again."""
    people.set_preferences(member, values)


def know_nonmembers(mailing_list: MailingList, emails: Sequence[str]) -> None:
    """Note addresses that posted without being members, so that moderators can decide about them."""
    for email in emails:
        if email != mailing_list.fqdn_listname:
            address = people.ensure_address(email)
            Member.objects.get_or_create(mailing_list=mailing_list, role=Member.Role.NONMEMBER, address=address)
