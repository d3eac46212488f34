"""What moderation does: hold, refuse, drop, let pass; and a moderator's word on a held post."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from django.db import transaction

from postroad.community.lists.actions import take_request_id
from postroad.community.lists.models import MailingList
from postroad.community.notices import actions as notices
from postroad.community.notices import settings as notice_settings
from postroad.community.people.actions import ensure_address
from postroad.community.subscriptions.actions import know_nonmembers
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode, encode
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Verdict

replace = msgspec.structs.replace


def carry_out(post: Post, verdict: Verdict) -> None:
    """Do what was judged, in the present transaction."""
    e = replace(
        post.envelope, rule_hits=verdict.hits, rule_misses=verdict.misses, moderation_reasons=verdict.reasons,
        moderation_sender=post.sender, dmarc=post.dmarc, has_approved=post.has_approved,
        approved=post.envelope.approved or verdict.decided_by == "approved",
    )  # fmt: skip
    if post.new_raw is not None:
        e = replace(e, message=storage.store(post.new_raw))
    _know_senders(post)
    why = "; ".join(verdict.reasons) or f"by {verdict.decided_by}"
    if verdict.action == "accept":
        queue.put("pipeline", e)
        queue.record(e, "moderation", "accepted", f"by {verdict.decided_by}")
    elif verdict.action == "hold":
        held = hold(post, e)
        queue.record(e, "moderation", "held", why, str(held.request_id))
    elif verdict.action == "reject":
        _reject(post, why)
        queue.record(e, "moderation", "rejected", why)
    else:
        queue.record(e, "moderation", "discarded", why)


def _know_senders(post: Post) -> None:
    """Strangers become nonmembers, so that moderators can decide about them."""
    new = [sender for sender in post.senders if sender not in post.known]
    for sender in new:
        ensure_address(sender)
    if post.member is None and not post.envelope.from_usenet:
        know_nonmembers(post.mailing_list, [s for s in post.senders if s not in post.nonmembers])


def hold(post: Post, envelope: Envelope) -> HeldMessage:
    """Keep a post for the moderators and tell those who want to know (facts: mail-flow §10)."""
    mailing_list = post.mailing_list
    held = HeldMessage.objects.create(
        mailing_list=mailing_list, request_id=take_request_id(mailing_list), message=envelope.message,
        message_id=envelope.message_id[:998], envelope=encode(envelope), sender=post.sender[:320],
        subject=post.subject[:2000], reason="; ".join(envelope.moderation_reasons),
        held_at=datetime.now(UTC),
    )  # fmt: skip
    values = {"subject": post.subject[:200], "sender_email": post.sender, "reasons": held.reason, "sender": post.sender}
    if notice_settings.respond_to_post_requests.of(mailing_list) and may_be_answered(post):
        _tell_sender(post, values)
    if notice_settings.admin_immed_notify.of(mailing_list):
        notices.send_to_owners(
            mailing_list, "list:admin:action:post",
            f"{mailing_list.fqdn_listname} post from {post.sender} requires approval", values, [post.raw],
        )  # fmt: skip
    return held


def may_be_answered(post: Post) -> bool:
    """Whether an automatic answer to the sender can hurt nobody (RFC 3834 §2): members only, no machines."""
    headers = post.headers
    automatic = (headers.get("auto-submitted") or "no").partition(";")[0].strip().lower() != "no"
    bulk = (headers.get("precedence") or "").lower() in ("bulk", "junk", "list")
    from_list = any(name.lower().startswith("list-") for name in headers.names())
    unwanted = (headers.get("x-ack") or "").lower() == "no" or bool(headers.get("x-no-ack"))
    nobody = not post.envelope.sender or (headers.get("return-path") or "").strip() == "<>"
    return not (automatic or bulk or from_list or unwanted or nobody or post.envelope.from_usenet)


def _tell_sender(post: Post, values: dict[str, str]) -> None:
    """Tell the sender that the post waits, so many times a day."""
    number = notices.count_answer(post.sender, post.mailing_list.list_id, "hold")
    most = current().mail.max_autoresponses_per_day
    if most and number > most:
        return
    last = bool(most) and number == most
    notices.send_notice(
        "list:user:notice:no-more-today" if last else "list:user:notice:hold", mailing_list=post.mailing_list,
        to=[post.sender], subject=f"Your message to {post.mailing_list.fqdn_listname} awaits moderator approval",
        values={**values, "count": str(number)},
    )  # fmt: skip


def _reject(post: Post, why: str) -> None:
    if post.sender and may_be_answered(post):
        notices.send_notice(
            "list:user:notice:rejected", mailing_list=post.mailing_list, to=[post.sender],
            from_=post.mailing_list.address("owner"), subject=post.subject or "Your message",
            values={"reasons": why}, attachments=[post.raw],
        )  # fmt: skip


@transaction.atomic
def decide(held: HeldMessage, action: str, comment: str = "", forward: Sequence[str] = ()) -> None:
    """A moderator's word: accept, reject (with a comment), discard; defer and hold leave it where it is.

    Raises:
        BadInput: another word.
    """
    if action not in ("accept", "reject", "discard", "defer", "hold"):
        raise BadInput("A held post can be accepted, rejected, discarded or deferred.")
    envelope = decode(bytes(held.envelope))
    if forward:
        _forward(held, forward)
    if action in ("defer", "hold"):
        return
    if action == "accept":
        queue.put("pipeline", replace(envelope, approved=True, approved_at=time.time()))
    if action == "reject" and held.sender:
        notices.send_notice(
            "list:user:notice:refuse", mailing_list=held.mailing_list, to=[held.sender],
            subject=f'Request to mailing list "{held.mailing_list.list_name}" rejected',
            values={
                "request": f'Posting of your message titled "{held.subject}"',
                "reason": comment or "No reason was given.",
            },
        )  # fmt: skip
    outcome = {"accept": "accepted", "reject": "rejected", "discard": "discarded"}[action]
    queue.record(envelope, "moderation", outcome, f"by a moderator{': ' + comment if comment else ''}")
    held.delete()


def _forward(held: HeldMessage, to: Sequence[str]) -> None:
    notices.send(
        list_id=held.mailing_list.list_id, from_=held.mailing_list.address("owner"), to=to, to_header=", ".join(to),
        subject="Forward of moderated message", body="A held message is attached.\n",
        attachments=[storage.load(held.message)],
    )  # fmt: skip


def expire(mailing_list: MailingList) -> int:
    """Drop what waited longer than the list allows; how many."""
    days = settings.max_days_to_hold.of(mailing_list)
    if not days:
        return 0
    old = HeldMessage.objects.filter(mailing_list=mailing_list, held_at__lt=datetime.now(UTC) - timedelta(days=days))
    count = 0
    for held in old:
        decide(held, "discard", f"nobody decided in {days} days")
        count += 1
    return count
