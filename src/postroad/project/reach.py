"""Why an address gets mail of a list, or none: its choices, its bounces, what waits for it, what the relay said."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from postroad.community.people.models import DIGEST_MODES, Preferences
from postroad.community.subscriptions.models import Consent, Member
from postroad.community.subscriptions.queries import effective_preferences
from postroad.foundation.errors import last_line
from postroad.foundation.message.addresses import identity
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.mailflow.bounces import settings
from postroad.mailflow.bounces.models import BounceEvent, Receiver
from postroad.mailflow.delivery.chunks import unpack_recipients, unpack_results
from postroad.mailflow.delivery.models import Chunk, Dispatch

LATEST = 3
"""So many of a list's last mails are looked through for the reply to the address."""
_OFF = {
    "by_user": "switched off by the member", "by_bounces": "switched off by bounces",
    "by_moderator": "switched off by a moderator", "unknown": "switched off, nobody knows by whom",
}  # fmt: skip
_Moment = float | None


@dataclass(frozen=True, slots=True)
class Sent:
    """One mail of the list: what the relay said about it for the address, or why it waits."""

    message_id: str
    at: float
    """When it was prepared, or when it is due; seconds since 1970."""
    reply: str


@dataclass(slots=True)
class Reach:
    """One membership. Moments are seconds since 1970."""

    list_id: str
    gets: str
    """`posts`, the kind of digest, or `nothing`."""
    why: str
    """Who chose that, and where."""
    changed_at: _Moment = None
    """When the membership's options were changed last, as far as that is on record."""
    vacation_until: str = ""
    bounce_score: int = 0
    bounce_threshold: int = 0
    last_bounce_at: _Moment = None
    last_bounce: str = ""
    """What the receiver said, and what came of it here."""
    probe_sent_at: _Moment = None
    """A probe that has not come back."""
    warnings: int = 0
    receiver: str = ""
    """Why nobody at this receiver gets mail, when it refuses everybody."""
    waiting: list[Sent] = field(default_factory=list)
    latest: list[Sent] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As JSON shows it."""
        return asdict(self)


def reach(email: str, list_id: str | None = None) -> Iterator[Reach]:
    """Each membership the address has, by itself or as somebody's preferred address; of one list if told."""
    rows = Member.objects.filter(email=identity(email), role="member").order_by("mailing_list__list_id", "pk")
    rows = rows.select_related("mailing_list", "address__user", "user__preferred_address")
    for member in rows if list_id is None else rows.filter(mailing_list__list_id=list_id):
        found = Reach(member.mailing_list.list_id, *_verdict(member))
        changes = Consent.objects.filter(list_id=found.list_id, email=member.email, event__in=("changed", "restored"))
        found.changed_at = _seconds(changes.order_by("-at").values_list("at", flat=True).first())
        found.vacation_until = member.vacation_until.isoformat() if member.vacation_until else ""
        _add_bounces(found, member)
        found.waiting = list(_waiting(member))
        found.latest = list(_latest(member))
        yield found


def _verdict(member: Member) -> tuple[str, str]:
    chosen = effective_preferences(member)
    mode, status = str(chosen["delivery_mode"]), str(chosen["delivery_status"])
    if status != "enabled":
        return "nothing", f"{_OFF.get(status, status)}{_level(member, 'delivery_status')}"
    return (mode if mode in DIGEST_MODES else "posts"), f"delivery is on{_level(member, 'delivery_mode')}"


def _level(member: Member, name: str) -> str:
    """Where a preference is set, in words; empty when nobody chose it."""
    address = member.effective_address
    levels: tuple[tuple[str, Preferences | None], ...] = (
        (", for this list", member), (", for all lists of the address", address),
        (", for all lists of the user", member.user or (address.user if address else None)),
    )  # fmt: skip
    return next((words for words, level in levels if level is not None and getattr(level, name) is not None), "")


def _add_bounces(found: Reach, member: Member) -> None:
    found.bounce_score, found.warnings = member.bounce_score, member.total_warnings_sent
    found.bounce_threshold = settings.bounce_score_threshold.of(member.mailing_list)
    found.last_bounce_at = _seconds(member.last_bounce_received)
    event = BounceEvent.objects.filter(mailing_list=member.mailing_list, email=member.email).order_by("-at").first()
    if event is not None:
        found.last_bounce_at = max(found.last_bounce_at or 0.0, event.at.timestamp())
        said = f"{event.status} {event.diagnostic}".strip() or "a report without words"
        found.last_bounce = f"{said}: {event.outcome or 'to be judged in the next round'}"
    probe = member.probes.order_by("-sent_at").first()
    found.probe_sent_at = _seconds(probe.sent_at) if probe is not None else None
    receiver = Receiver.objects.filter(domain=(member.email or "").rpartition("@")[2]).first()
    if receiver is not None:
        found.receiver = f"{receiver.domain} refused everybody, last {receiver.last:%Y-%m-%d %H:%M}: {receiver.reason}"


def _waiting(member: Member) -> Iterator[Sent]:
    """Mails that are cut for the address, or will be, with the reason of the last attempt."""
    list_id = member.mailing_list.list_id
    jobs = {decode(bytes(job.envelope)).chunk: job for job in Job.objects.filter(queue="delivery", list_id=list_id)}
    for chunk in Chunk.objects.filter(dispatch__list_id=list_id, done=False).select_related("dispatch").order_by("pk"):
        if chunk.pk in jobs and _reply(member, chunk) == "":
            job = jobs[chunk.pk]
            state = "quarantined: " if job.state == Job.State.QUARANTINED else ""
            why = last_line(job.error) or "not tried yet"
            yield Sent(chunk.dispatch.message_id, job.due_at, f"{state}{why}")
    for dispatch in Dispatch.objects.filter(list_id=list_id, all_cut=False, cursor__lt=member.pk).order_by("pk"):
        yield Sent(dispatch.message_id, dispatch.created_at, "its turn has not come")


def _latest(member: Member) -> Iterator[Sent]:
    """The relay's replies for the address to the last mails of the list that do not wait."""
    dispatches = Dispatch.objects.filter(list_id=member.mailing_list.list_id).order_by("-pk")
    for dispatch in dispatches.exclude(all_cut=False, cursor__lt=member.pk)[:LATEST]:
        replies = (_reply(member, chunk) for chunk in dispatch.chunks.order_by("-pk").iterator(chunk_size=50))
        said = next((reply for reply in replies if reply is not None), "not among those it goes to")
        if said:
            yield Sent(dispatch.message_id, dispatch.created_at, said)


def _reply(member: Member, chunk: Chunk) -> str | None:
    """The reply to the member in a chunk, "" for none yet; None when the member is not in it."""
    recipients = unpack_recipients(bytes(chunk.recipients))
    for index, one in enumerate(recipients):
        if one.member_id == member.pk or (one.member_id == 0 and identity(one.email) == member.email):
            return unpack_results(bytes(chunk.results), len(recipients)).get(index) or ""
    return None


def _seconds(moment: Any) -> _Moment:
    return moment.timestamp() if moment is not None else None
