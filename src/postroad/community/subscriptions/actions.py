"""The verbs of membership: join, leave, confirm, decide, change. Every surface calls these.

The way of a join or leave depends on the list's policy (facts: mail-flow §24, §25): a step that needs somebody leaves
a `Pending` behind, and going on removes it, so no secret works twice. Each step is written down as proof of consent.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from postroad.community.lists.models import MailingList
from postroad.community.notices import actions as notices
from postroad.community.notices import limits
from postroad.community.people import actions as people
from postroad.community.people import queries as people_queries
from postroad.community.subscriptions import queries, requests, workflow
from postroad.community.subscriptions.consent import REST, Origin, count_request, note
from postroad.community.subscriptions.models import Member, Pending, ThreadChoice
from postroad.community.subscriptions.workflow import Wish
from postroad.foundation.errors import BadInput, Conflict, NotFound
from postroad.foundation.message.addresses import identity

Outcome = workflow.Outcome

# --- joining


def join(
    mailing_list: MailingList, subscriber: str | UUID, *, role: str = "member", origin: Origin = REST, **options: Any
) -> Outcome:
    """Subscribe an address, or a user by UUID, as the list's policy and the `pre_…` options allow.

    Options: display_name, delivery_mode, delivery_status, pre_verified, pre_confirmed, pre_approved, invitation,
    send_welcome_message. Asked again in public, what waits is not doubled: its secret is renewed and mailed anew.

    Raises:
        Conflict: subscribed already, or such a request waits.
        BadInput: banned, the list itself, a user without preferred address.
        TooMany: the network asked too often.
    """
    count_request(origin)  # Also one that is refused: else the count would tell who is a member, or banned.
    with transaction.atomic():
        return join_or_undo(mailing_list, subscriber, role=role, origin=origin, **options)


def join_or_undo(
    mailing_list: MailingList, subscriber: str | UUID, *, role: str = "member", origin: Origin = REST, **options: Any
) -> Outcome:
    """The same in a transaction of the caller's, which a refusal must undo; `join` takes a savepoint for that."""
    wish = Wish.of(mailing_list, subscriber, role, options, origin)
    wish.check(role)
    if wish.address.user_id is None:
        people.create_user(wish.address.email, wish.address.display_name)
    if role != Member.Role.MEMBER:
        return Outcome(workflow.subscribe(wish, role))
    waiting = None
    if not wish.is_newcomers:
        waiting = requests.waiting(mailing_list, Pending.Kind.SUBSCRIPTION, wish.address.email)
    if waiting is not None and not origin.is_public:
        raise Conflict("Subscription request already pending")
    if waiting is not None and waiting.token_owner == "moderator":
        return Outcome(None, waiting.token, "moderator")
    if options.get("pre_verified") and not wish.is_newcomers:
        people.verify(wish.address)
    if workflow.must_confirm(wish):
        return workflow.ask_to_join(wish, waiting)
    return workflow.moderate_or_subscribe(wish)


# --- what a secret allows


@transaction.atomic
def confirm(secret: str, mailing_list: MailingList | None = None, *, origin: Origin = REST) -> Outcome:
    """Go on with what was mailed to the subscriber under this secret, on this list if one is named.

    Raises:
        NotFound: no such secret, used already, too old, or another list's.
        Conflict: a member already.
        BadInput: banned meanwhile.
    """
    pending = queries.request_by_secret(secret, mailing_list)
    if pending is None or pending.token_owner != "subscriber":
        raise NotFound("This token is unknown, was used already, or is too old. Please begin again.")
    return _confirmed(pending, origin)


def _confirmed(pending: Pending, origin: Origin) -> Outcome:
    mailing_list = MailingList.objects.get(list_id=pending.list_id)
    pending.delete()
    if pending.kind == Pending.Kind.UNDO:
        return Outcome(workflow.restore(mailing_list, pending, origin), kind=pending.kind)
    note(pending.list_id, pending.email, "confirmed", origin)
    if pending.kind == Pending.Kind.SUBSCRIPTION:
        wish = Wish.restored(mailing_list, pending, origin)
        people.verify(wish.address)
        wish.check(Member.Role.MEMBER)
        return workflow.moderate_or_subscribe(wish)
    member = queries.member_of(mailing_list, pending.email)
    if member is None:
        return Outcome(kind=pending.kind)
    if pending.kind == Pending.Kind.OPTIONS:
        workflow.apply_options(member, pending.data, origin)
        return Outcome(member, kind=pending.kind)
    return workflow.moderate_or_unsubscribe(member, origin)


@transaction.atomic
def never_again(secret: str, *, origin: Origin = REST) -> None:
    """It was not me: end everything that waits for this address, and never ask it again from this site.

    Raises:
        NotFound: no such secret, or too old.
    """
    pending = queries.request_by_secret(secret)
    if pending is None or pending.token_owner != "subscriber" or pending.kind == Pending.Kind.UNDO:
        raise NotFound("This link is unknown, was used already, or is too old.")
    Pending.objects.filter(email=pending.email, token_owner="subscriber").exclude(kind=Pending.Kind.UNDO).delete()
    limits.silence(pending.email)
    note(pending.list_id, pending.email, "refused", origin)


@transaction.atomic
def decide(pending: Pending, action: str, reason: str = "", *, origin: Origin = REST) -> Outcome:
    """A moderator's word on a waiting request: accept goes on, reject tells why, discard is silent, others wait.

    Raises:
        Conflict: accepted, but the address is a member already.
    """
    if action in ("defer", "hold"):
        return Outcome(None, pending.token, pending.token_owner, kind=pending.kind)
    if action == "accept" and pending.token_owner == "subscriber":
        return _confirmed(pending, origin)
    mailing_list = MailingList.objects.get(list_id=pending.list_id)
    pending.delete()
    if action != "accept":
        note(pending.list_id, pending.email, "refused", origin)
        if action == "reject":
            notices.refuse_request(mailing_list, pending.email, reason)
        return Outcome(kind=pending.kind)
    note(pending.list_id, pending.email, "approved", origin)
    if pending.kind == Pending.Kind.UNSUBSCRIPTION:
        member = queries.member_of(mailing_list, pending.email)
        return workflow.unsubscribe(member, origin) if member else Outcome(kind=pending.kind)
    wish = Wish.restored(mailing_list, pending, origin)
    wish.check(Member.Role.MEMBER)
    return workflow.subscribe_and_greet(wish)


# --- leaving


@transaction.atomic
def leave(member: Member, *, pre_confirmed: bool = True, pre_approved: bool = False, origin: Origin = REST) -> Outcome:
    """End a membership as the list's policy allows; other roles than member end at once.

    Raises:
        TooMany: the network asked too often.
    """
    count_request(origin)
    if member.role != Member.Role.MEMBER:
        member.delete()
        return Outcome(kind=Pending.Kind.UNSUBSCRIPTION)
    policy = workflow.leaving_policy(member)
    if policy in workflow.CONFIRMED and not pre_confirmed:
        return workflow.ask_to_leave(member, origin)
    if policy == "confirm_then_moderate":
        return workflow.unsubscribe(member, origin)  # Confirmed beforehand: Mailman asks no moderator then.
    return workflow.moderate_or_unsubscribe(member, origin, pre_approved=pre_approved)


@transaction.atomic
def ask_to_leave(mailing_list: MailingList, email: str, *, origin: Origin) -> None:
    """Somebody says to be this member and wants to leave: the member is asked, whatever the policy; others nothing.

    Raises:
        TooMany: the network asked too often.
    """
    count_request(origin)
    member = queries.member_of(mailing_list, email)
    if member is not None and member.effective_address is not None:
        workflow.ask_to_leave(member, origin)


@transaction.atomic
def end_by_link(member: Member, origin: Origin = REST) -> Outcome:
    """The reader pressed unsubscribe (RFC 8058 §3.2): it ends at once, whatever the policy, without a question.

    The outcome's token takes it back for `requests.UNDO_DAYS`.
    """
    return workflow.unsubscribe(member, origin)


@transaction.atomic
def remove(member: Member, *, goodbye: bool | None = None, notify_owners: bool | None = None) -> None:
    """End a membership by the administrator's will; who is told is the list's setting, unless it is said here."""
    workflow.unsubscribe(member, REST, goodbye=goodbye, notify_owners=notify_owners)


@transaction.atomic
def remove_members(mailing_list: MailingList, emails: Sequence[str]) -> Mapping[str, bool]:
    """End the memberships of these addresses without any mail; for each, whether there was one."""
    found = queries.members_by_address(mailing_list, emails)
    Member.objects.filter(pk__in=[row.pk for row in found.values()]).delete()
    requests.forget_of_members(mailing_list, list(found))
    for email in found:
        note(mailing_list.list_id, email, "left", REST)
    return {email: identity(email) in found for email in emails}


# --- changing


@transaction.atomic
def change_member(member: Member, **changes: Any) -> None:
    """Change a membership's address, delivery mode, digest frequency or moderation action.

    What came back from a former address is not held against the next one.

    Raises:
        BadInput: an address that is unknown, unverified, or of another person.
    """
    if "delivery_mode" in changes:
        people.set_preferences(member, {"delivery_mode": changes.pop("delivery_mode")})
    if "digest_frequency" in changes:
        workflow.set_digest_frequency(member, changes.pop("digest_frequency"))
    if "address" in changes:
        address = people_queries.find_address(changes.pop("address"))
        if address is None:
            raise BadInput("Address not registered")
        if address.verified_on is None:
            raise BadInput("Unverified address")
        owner = member.address.user_id if member.address else None
        if member.address is None or address.user_id is None or address.user_id != owner:
            raise BadInput("Address is not controlled by user")
        if address != member.address:
            member.forget_bounces()  # They came from the former address.
        member.address = address
    for name, value in changes.items():
        setattr(member, name, value)
    member.save()


@transaction.atomic
def set_preferences(member: Member, values: Mapping[str, Any]) -> None:
    """Set preferences of a membership; None asks the next level again."""
    people.set_preferences(member, values)


@transaction.atomic
def set_options(member: Member, values: Mapping[str, Any], *, proved: bool, origin: Origin = REST) -> Outcome:
    """Change what a member gets: preferences, `digest_frequency`, and `vacation_until` that ends by itself.

    The frequency is `list` for the list's own; the vacation ends on an ISO date. Unless the member's identity is
    `proved`, a secret is mailed first.

    Raises:
        BadInput: an unknown preference or a value that is not allowed.
    """
    workflow.check_options(values)
    if proved:
        workflow.apply_options(member, values, origin)
        return Outcome(member, kind=Pending.Kind.OPTIONS)
    return workflow.ask_about_options(member, values, origin)


def choose_thread(member: Member, thread: str, wish: str | None) -> None:
    """Mute or follow one thread; None asks the member's preferences again.

    Raises:
        BadInput: another wish.
    """
    if wish is not None and wish not in ThreadChoice.Wish.values:
        raise BadInput(f"A thread can be followed or muted, not: {wish}")
    if wish is None:
        ThreadChoice.objects.filter(member=member, thread=thread).delete()
    else:
        ThreadChoice.objects.update_or_create(member=member, thread=thread, defaults={"wish": wish})


def end_vacations() -> None:
    """Switch delivery on again for whom the day has come."""
    workflow.end_vacations()


def know_nonmembers(mailing_list: MailingList, emails: Sequence[str]) -> None:
    """Note addresses that posted without being members, so that moderators can decide about them."""
    for email in emails:
        if email != identity(mailing_list.fqdn_listname):
            address = people.ensure_address(email)
            Member.objects.get_or_create(mailing_list=mailing_list, role=Member.Role.NONMEMBER, address=address)
