"""What is known of bounces: the receivers that refuse everybody at the moment, the members to be warned."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from postroad.community.lists.models import MailingList
from postroad.community.people.models import Address
from postroad.community.subscriptions.models import Member
from postroad.mailflow.bounces import settings
from postroad.mailflow.bounces.models import BounceEvent

MANY = 10
"""So many people of one receiver must fail in one round before it can be the receiver's event,"""
SHARE = 0.2
"""and so large a part of those subscribed there."""


def waiting() -> QuerySet[BounceEvent]:
    """Events nobody judged yet, the oldest first."""
    return BounceEvent.objects.filter(processed=False).order_by("pk")


def refusing_receivers() -> list[str]:
    """Domains of which so many people fail at once that it is their receiver's doing."""
    rows = (
        waiting().order_by().filter(context="normal").values("domain").annotate(people=Count("email", distinct=True))
        .filter(people__gte=MANY).values_list("domain", "people")
    )  # fmt: skip
    return [domain for domain, people in rows if people >= SHARE * _subscribed_at(domain)]


def _subscribed_at(domain: str) -> int:
    mine = Q(memberships__role="member") | Q(user__memberships__role="member")
    return Address.objects.filter(mine, email__endswith=f"@{domain}").distinct().count()


def switched_off(now: datetime) -> Iterator[tuple[MailingList, QuerySet[Member]]]:
    """For each list, the members switched off by bounces whose next reminder or removal is due."""
    off = Q(members__role="member", members__delivery_status="by_bounces")
    for mailing_list in MailingList.objects.filter(off).distinct().select_related("domain").order_by("pk"):
        if not settings.process_bounces.of(mailing_list):
            continue
        interval = timedelta(seconds=settings.bounce_you_are_disabled_warnings_interval.of(mailing_list))
        due = Q(last_warning_sent__isnull=True) | Q(last_warning_sent__lte=now - interval)
        if settings.bounce_you_are_disabled_warnings.of(mailing_list) == 0:
            due = Q()
        members = Member.objects.filter(due, mailing_list=mailing_list, role="member", delivery_status="by_bounces")
        yield mailing_list, members.select_related("address", "user__preferred_address").order_by("pk")
