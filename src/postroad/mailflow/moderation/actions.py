"""What moderation does: hold, refuse, drop, let pass; and a moderator's word on a held post."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.db.models import F

from postroad.community.lists.actions import take_request_id
from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.actions import know_nonmembers
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.rights import moderates_by_mail
from postroad.community.subscriptions.senders import sender_member
from postroad.community.subscriptions.tokens import hashed
from postroad.foundation.errors import BadInput, NotAllowed, NotFound
from postroad.foundation.message.addresses import identity
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode, encode
from postroad.foundation.storage import actions as storage
from postroad.foundation.webhooks.actions import announce
from postroad.mailflow.moderation import answers, settings
from postroad.mailflow.moderation.models import GoodPosts, HeldMessage
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.queries import good_posts
from postroad.mailflow.moderation.verdict import Verdict

replace = msgspec.structs.replace


def carry_out(post: Post, verdict: Verdict) -> None:
    """Do what was judged, in the present transaction."""
    arc_status, arc_results = post.arc if verdict.action in ("accept", "hold") else ("", "")
    e = replace(
        post.envelope, arc_status=arc_status, arc_results=arc_results,
        rule_hits=verdict.hits, rule_misses=verdict.misses, moderation_reasons=verdict.reasons,
        moderation_sender=post.sender, moderation_action=post.moderation_action, dmarc=post.dmarc,
        has_approved=post.has_approved, approved=post.envelope.approved or verdict.decided_by == "approved",
    )  # fmt: skip
    if post.new_raw is not None:
        e = replace(e, message=storage.store(post.new_raw))
    if "nonmember-moderation" in (*verdict.hits, *verdict.misses):
        _know_strangers(post)
    why = "; ".join(verdict.reasons) or f"by {verdict.decided_by}"
    match verdict.action:
        case "accept":
            queue.put("pipeline", e)
            _record(e, "accepted", f"by {verdict.decided_by}")
            if e.kind == "posting" and post.member is not None:
                _count_good_post(post.mailing_list, post.member)
        case "hold":
            held = _hold(post, e)
            _record(e, "held", why, str(held.request_id))
        case "reject":
            answers.refuse(post, verdict.reasons or (why,))
            _record(e, "rejected", why)
        case "discard":
            if verdict.decided_by == "nonmember-moderation" and settings.forward_auto_discards.of(post.mailing_list):
                answers.tell_of_discard(post)
            _record(e, "discarded", why)


def _record(envelope: Envelope, outcome: str, why: str, reference: str = "") -> None:
    """Write what was done into the post's journey, and tell whoever listens."""
    queue.record(envelope, "moderation", outcome, why, reference)
    if envelope.kind == "posting":
        told = {"message_id": envelope.message_id, "sender": envelope.moderation_sender, "reason": why}
        announce(f"post.{outcome}", envelope.list_id, told)


def _know_strangers(post: Post) -> None:
    """Authors who are no members become nonmembers, so that moderators can decide about them."""
    if post.member is None and not post.envelope.from_usenet:
        strangers = [email for email in post.senders if email in post.authors] or post.senders[:1]
        know_nonmembers(post.mailing_list, [email for email in strangers if email not in post.nonmembers])


def _count_good_post(mailing_list: MailingList, member: Member) -> None:
    """Note an accepted post of a member whose first posts are watched."""
    watched = settings.moderate_first_posts.of(mailing_list)
    if watched and good_posts(member) < watched:
        GoodPosts.objects.get_or_create(member=member)
        GoodPosts.objects.filter(member=member).update(count=F("count") + 1)


def _hold(post: Post, envelope: Envelope) -> HeldMessage:
    """Keep a post for the moderators and tell those who want to know (facts: mail-flow §10)."""
    mailing_list = post.mailing_list
    held = HeldMessage.objects.create(
        mailing_list=mailing_list, request_id=take_request_id(mailing_list), message=envelope.message,
        message_id=envelope.message_id[:998], envelope=encode(envelope), sender=post.sender[:320],
        subject=post.subject[:2000].replace("\0", " "), reason="; ".join(envelope.moderation_reasons),
        held_at=datetime.now(UTC),
    )  # fmt: skip
    token = answers.tell_of_hold(post, held, envelope.moderation_reasons)
    if token:
        held.token_hash = hashed(token)
        held.save(update_fields=["token_hash"])
    return held


# --- a moderator's word

OUTCOMES = {"accept": "accepted", "reject": "rejected", "discard": "discarded", "defer": "deferred", "hold": "held"}


@transaction.atomic
def decide(held: HeldMessage, action: str, comment: str = "", forward: Sequence[str] = (), by: str = "") -> str:
    """A moderator's word: accept, reject (with a comment), discard; defer and hold leave it where it is.

    Answers with what was done, such as `accepted`; `by` names the moderator in the post's journey.

    Raises:
        BadInput: another word.
        NotFound: another moderator was faster.
    """
    if action not in OUTCOMES:
        raise BadInput("A held post can be accepted, rejected, discarded, held or deferred.")
    envelope = decode(bytes(held.envelope))
    if forward:
        answers.forward(held, forward)
    if action in ("defer", "hold"):
        return OUTCOMES[action]
    if not HeldMessage.objects.filter(pk=held.pk).delete()[0]:
        raise NotFound("This post was decided about meanwhile.")
    if action == "accept":
        queue.put("pipeline", replace(envelope, approved=True, approved_at=time.time()))
        author = sender_member(held.mailing_list, [identity(held.sender)])
        if author is not None:
            _count_good_post(held.mailing_list, author[0])
    if action == "reject" and held.sender:
        answers.tell_of_rejection(held, comment)
    why = f"by {by or 'a moderator'}{': ' if comment else ''}{comment}"
    _record(envelope, OUTCOMES[action], why)
    return OUTCOMES[action]


def answer_hold(token: str, *, password: str = "", moderator: str = "", action: str = "", comment: str = "") -> str:
    """A moderator answered the notice of a held post by mail; what was done, such as `accepted`.

    The bare answer drops the post, as with Mailman. With the list's password, or by an owner or moderator whose
    address the caller has authenticated (`moderator`), it is accepted unless `action` says otherwise.

    Raises:
        NotFound: no post waits under this token, or not any more.
        NotAllowed: the password is wrong, or only a moderator may do this.
        BadInput: another word than a moderator's.
    """
    rows = HeldMessage.objects.filter(token_hash=hashed(token)).select_related("mailing_list")
    held = rows.first()
    if held is None:
        raise NotFound("No held post waits for this answer; perhaps somebody decided about it meanwhile.")
    expected = settings.moderator_password.of(held.mailing_list)
    if password and not (expected and check_password(password, expected)):
        raise NotAllowed("The password in the Approved line is not the list's; the post still waits.")
    may_accept = bool(password) or (bool(moderator) and moderates_by_mail(moderator, held.mailing_list_id))
    action = action or ("accept" if may_accept else "discard")
    if action == "accept" and not may_accept:
        raise NotAllowed("To accept a post by mail, put a line `Approved: PASSWORD` on top of the answer.")
    return decide(held, action, comment, by=f"{moderator or 'a moderator'} by mail")


# --- the daily job


def discard_expired() -> None:
    """Drop what waited longer than its list's `max_days_to_hold`; lists with 0 there keep it for ever."""
    for mailing_list in MailingList.objects.filter(held_messages__isnull=False).distinct():
        days = settings.max_days_to_hold.of(mailing_list)
        if not days:
            continue
        moment = datetime.now(UTC) - timedelta(days=days)
        for held in HeldMessage.objects.filter(mailing_list=mailing_list, held_at__lt=moment).iterator():
            with suppress(NotFound):  # A moderator was faster.
                decide(held, "discard", f"nobody decided in {days} days", by="the daily job")
