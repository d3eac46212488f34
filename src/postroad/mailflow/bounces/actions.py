"""The verbs of bounces: note what came back, judge it, probe, switch off, warn, remove, switch on again.

Only a return path that we keyed for this recipient (or a failure in our own dialogue) is believed; a forged report
changes nothing. Judging is a task of the timetable and looks at a round of events together, so that a receiver that
refuses everybody is seen as one event (facts: mail-flow §16).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.notices import actions as notices
from postroad.community.notices import limits
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.queries import effective_preferences, member_of
from postroad.community.subscriptions.tokens import hashed, new_token, resume_token
from postroad.foundation.configuration import current
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.foundation.webhooks.actions import announce
from postroad.mailflow.bounces import queries, settings
from postroad.mailflow.bounces.models import BounceEvent, Probe, Receiver
from postroad.mailflow.bounces.reports import Failure

REFUSING = "$domain refuses our mail"
REFUSING_TEXT = """\
$domain refused mail to $count of its people in one round. Nobody was counted for it.

It said: $reason

Please look at the reputation of this server and its DNS entries.
"""
PROBE_DAYS = 10
FULL_PAUSE = timedelta(days=3)
"""A full mailbox counts once in so long: its owner may be on a journey."""
RECEIVER_PATIENCE = timedelta(days=3)
"""For so long a refusing receiver shields its people; then they count like anybody's, or a dead domain would stay."""
EVENTS_AT_ONCE = 500
KEPT_DAYS = 90
UNKNOWN_A_DAY = 20
"""Mails without a known form that the owners of a list get on one day."""


def note(mailing_list: MailingList, envelope: Envelope, failures: Iterable[Failure], context: str = "normal") -> int:
    """Keep what failed for good, to be judged in the next round; how many."""
    events = [
        BounceEvent(
            mailing_list=mailing_list, email=failure.email, domain=failure.email.rpartition("@")[2], context=context,
            cause=failure.cause, status=failure.status, diagnostic=failure.diagnostic.replace("\0", " "),
            message=envelope.message, message_id=envelope.message_id[:998],
            at=datetime.fromtimestamp(envelope.received_at, tz=UTC),
        )
        for failure in failures
        if failure.cause != "temporary"
    ]  # fmt: skip
    BounceEvent.objects.bulk_create(events)
    return len(events)


# --- judging


def judge_events() -> None:
    """Judge everything that came back since the last round; each batch is one transaction."""
    now = timezone.now()
    for domain in queries.refusing_receivers():
        with transaction.atomic():
            _note_receiver(domain, now)
    while True:
        with transaction.atomic():
            events = list(queries.waiting().select_related("mailing_list__domain")[:EVENTS_AT_ONCE])
            for event in events:
                event.outcome = _judge(event, now)
                event.processed = True
            BounceEvent.objects.bulk_update(events, ["outcome", "processed"])
        if len(events) < EVENTS_AT_ONCE:
            return


def _note_receiver(domain: str, now: datetime) -> None:
    """A receiver refuses everybody: one event, told to the site's owner once; its people are left in peace."""
    events = queries.waiting().filter(domain=domain, context="normal")
    first = events.first()
    reason = f"{first.status} {first.diagnostic}".strip() if first else ""
    receiver, is_new = Receiver.objects.get_or_create(
        domain=domain, defaults={"since": now, "last": now, "reason": reason}
    )
    if receiver.last < now - RECEIVER_PATIENCE:
        receiver.since, is_new = now, True
    receiver.last, receiver.reason = now, reason
    receiver.save()
    if now - receiver.since >= RECEIVER_PATIENCE:
        return
    count = events.update(processed=True, outcome="the receiver refuses everybody")
    if is_new:
        values = {"domain": domain, "count": str(count), "reason": reason or "-"}
        notices.tell_site_owner(Path(__file__).parent, REFUSING, REFUSING_TEXT, values)


def _judge(event: BounceEvent, now: datetime) -> str:
    """Count one event for its member, or say why not."""
    mailing_list = event.mailing_list
    member = member_of(mailing_list, event.email)
    stale = timedelta(seconds=settings.bounce_info_stale_after.of(mailing_list))
    if member is None:
        return "not a member"
    if event.context == "probe":
        return _switch_off(member, event)
    if effective_preferences(member)["delivery_status"] == "by_bounces":
        return "switched off already"
    if event.cause == "policy":
        return "refused by policy, not counted"
    if event.at < now - stale:
        return "stale, not counted"
    last = member.last_bounce_received
    if last is not None and last.astimezone(UTC).date() == event.at.astimezone(UTC).date():
        _keep(member, last=max(last, event.at))
        return "counted today already"
    if event.cause == "full" and last is not None and event.at - last < FULL_PAUSE:
        return "mailbox full, counted lately"
    fresh = last is None or event.at - last > stale
    return _count(member, event, 1 if fresh else member.bounce_score + 1)


def _count(member: Member, event: BounceEvent, score: int) -> str:
    mailing_list = event.mailing_list
    reached = score >= settings.bounce_score_threshold.of(mailing_list)
    probes = current().mail.verp_probes
    if settings.bounce_notify_owner_on_bounce_increment.of(mailing_list) and not (reached and probes):
        _tell_owners(member, "list:admin:notice:increment", event)
    _keep(member, score=0 if reached else score, last=event.at)
    if not reached:
        return f"score {score}"
    if probes:
        _send_probe(member, event)
        return "probe sent"
    return _switch_off(member, event)


def _keep(member: Member, *, last: datetime, score: int | None = None) -> None:
    member.last_bounce_received = last
    if score is not None:
        member.bounce_score = score
    member.save(update_fields=["bounce_score", "last_bounce_received"])


def _email(member: Member) -> str:
    address = member.effective_address
    return address.original_email if address else ""


def _tell_owners(member: Member, template: str, event: BounceEvent) -> None:
    report = storage.load_many([event.message])
    notices.tell_owners(member.mailing_list, template, _email(member), list(report.values()))


# --- probes and switching off


def _send_probe(member: Member, event: BounceEvent) -> None:
    """Write to the address once; only if that comes back to the probe's own return path is it given up."""
    token = new_token()
    Probe.objects.create(member=member, email=event.email, token_hash=hashed(token))
    mailing_list = member.mailing_list
    report = storage.load_many([event.message])
    notices.send_notice(
        "list:user:notice:probe", mailing_list=mailing_list, to=[_email(member)],
        values={"sender_email": event.email, "user_email": event.email}, attachments=list(report.values()),
        headers={"Precedence": ""}, envelope_sender=mailing_list.address(f"bounces+{token}"),
    )  # fmt: skip


def probed_email(mailing_list: MailingList, token: str) -> str | None:
    """The address whose probe came back under this token, which is used up thereby; None: not ours, or too old."""
    probe = Probe.objects.filter(token_hash=hashed(token), member__mailing_list=mailing_list).first()
    if probe is None:
        return None
    probe.delete()
    return probe.email if probe.sent_at > timezone.now() - timedelta(days=PROBE_DAYS) else None


def _switch_off(member: Member, event: BounceEvent) -> str:
    """Stop delivery to a member whose address is given up; reminders begin with the next round."""
    member.delivery_status = "by_bounces"
    member.bounce_score, member.total_warnings_sent, member.last_warning_sent = 0, 0, None
    member.last_bounce_received = event.at
    member.save()
    if settings.bounce_notify_owner_on_disable.of(member.mailing_list):
        _tell_owners(member, "list:admin:notice:disable", event)
    address = member.effective_address
    announce("member.disabled", member.mailing_list.list_id, {"email": address.email if address else ""})
    return "delivery switched off"


@transaction.atomic
def resume(member: Member) -> None:
    """Deliver to a member again who was switched off, and forget what came back."""
    if member.delivery_status == "by_bounces":
        member.forget_bounces()
        member.save()


def complain(member: Member) -> None:
    """A reader called our mail spam (RFC 5965): the membership ends, and the owners are told."""
    email = _email(member)
    subscriptions.end_by_link(member)
    notices.tell_owners(member.mailing_list, "list:admin:notice:unsubscribe", email)


# --- reminders and removal


def remind_and_remove() -> None:
    """Remind members who are switched off, and remove those who let every reminder pass."""
    now = timezone.now()
    for mailing_list, members in queries.switched_off(now):
        limit = settings.bounce_you_are_disabled_warnings.of(mailing_list)
        for member in members.iterator(chunk_size=500):
            with transaction.atomic():
                if member.total_warnings_sent < limit:
                    _remind(member, now)
                else:
                    _remove(member)


def _remind(member: Member, now: datetime) -> None:
    mailing_list, email = member.mailing_list, _email(member)
    member.total_warnings_sent += 1
    member.last_warning_sent = now
    member.save(update_fields=["total_warnings_sent", "last_warning_sent"])
    base = (mailing_list.domain.base_url or current().site.base_url).rstrip("/")
    url = f"{base}/lists/{mailing_list.list_id}/resume/{resume_token(mailing_list.pk, member.pk)}"
    notices.send_notice(
        "list:user:notice:warning", mailing_list=mailing_list, to=[email],
        values={"sender_email": email, "user_email": email, "resume_url": url},
    )  # fmt: skip


def _remove(member: Member) -> None:
    email, mailing_list = _email(member), member.mailing_list
    subscriptions.remove(member, goodbye=True, notify_owners=False)
    if settings.bounce_notify_owner_on_removal.of(mailing_list):
        notices.tell_owners(mailing_list, "list:admin:notice:removal", email)


def forget_old() -> None:
    """Drop what was judged long ago, and probes nobody will answer any more."""
    now = timezone.now()
    BounceEvent.objects.filter(processed=True, at__lt=now - timedelta(days=KEPT_DAYS)).delete()
    Probe.objects.filter(sent_at__lt=now - timedelta(days=PROBE_DAYS)).delete()


# --- what nobody understands


def forward_unknown(mailing_list: MailingList, raw: bytes) -> str:
    """Give a mail without a known form to whom the list's setting says; what was done with it."""
    where = settings.forward_unrecognized_bounces_to.of(mailing_list)
    owner = current().site.owner
    if where == "discard":
        return "dropped"
    if limits.count_answer(owner, mailing_list.list_id, "unrecognized") > UNKNOWN_A_DAY:
        return f"dropped, more than {UNKNOWN_A_DAY} today"
    if where == "site_owner":
        notices.send_notice(
            "list:admin:notice:unrecognized", mailing_list=mailing_list, to=[owner], from_=owner, attachments=[raw]
        )
        return f"forwarded to {owner}"
    notices.send_to_owners(mailing_list, "list:admin:notice:unrecognized", {}, [raw], from_=owner)
    return "forwarded to the owners"
