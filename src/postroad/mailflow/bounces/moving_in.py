"""The verbs of importers: what came back elsewhere is kept to be looked at, and never counted again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.tokens import hashed
from postroad.mailflow.bounces.models import BounceEvent, Probe

OUTCOME = "brought in, not counted"


@dataclass(frozen=True, slots=True)
class Bounce:
    """A bounce as another system noted it; `report` is the key of the stored mail, if it is there."""

    mailing_list: int
    email: str
    at: datetime
    context: str = "normal"
    message_id: str = ""
    report: str = ""


def bring_events(bounces: Sequence[Bounce]) -> list[int]:
    """Keep bounces as judged: whether the other system counted them or not, they disable nobody here."""
    rows = BounceEvent.objects.bulk_create(
        BounceEvent(
            mailing_list_id=b.mailing_list, email=b.email[:255], domain=b.email.rpartition("@")[2][:255], at=b.at,
            context=b.context, cause="address", message=b.report, message_id=b.message_id[:998], processed=True,
            outcome=OUTCOME,
        )
        for b in bounces
    )  # fmt: skip
    return [row.pk for row in rows]


def remove_events(keys: Iterable[int]) -> None:
    """Drop events another system forgot."""
    BounceEvent.objects.filter(pk__in=list(keys)).delete()


def bring_probe(member: Member, token: str, sent_at: datetime) -> int:
    """Let a probe that is under way to a member be recognised by its token when it comes back; the key of its row."""
    row, _ = Probe.objects.update_or_create(
        token_hash=hashed(token), defaults={"member": member, "email": member.email or "", "sent_at": sent_at}
    )
    return row.pk
