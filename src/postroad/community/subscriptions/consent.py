"""Who asked for what, from where: the proof of consent, and the limit on requests from one network."""

import ipaddress
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import F
from django.utils import timezone

from postroad.community.subscriptions.models import Attempt, Consent
from postroad.foundation.errors import TooMany
from postroad.foundation.queue.gathering import add
from postroad.foundation.webhooks.actions import announce

REQUESTS_AN_HOUR = 10
"""From one IPv4 address or one IPv6 /64 (facts: security T1)."""

_DAYS_AFTER_LEAVING = 3 * 365
"""Consent is provable for so long after it was given up; claims about mail that nobody wanted come late."""

Event = Literal["asked", "invited", "confirmed", "approved", "refused", "joined", "left", "restored", "changed"]


@dataclass(frozen=True, slots=True)
class Origin:
    """By which surface somebody asks, and what shows who it is: a Message-ID, a network address, a person."""

    surface: Literal["mail", "web", "rest", "command"] = "rest"
    evidence: str = ""

    @property
    def is_public(self) -> bool:
        """Whether anybody at all may ask this way, so that it must tell nothing and be held in limits."""
        return self.surface in ("mail", "web")


REST = Origin()


def note(list_id: str, email: str, event: Event, origin: Origin) -> None:
    """Write one step down."""
    add(Consent, list_id=list_id, email=email, event=event, surface=origin.surface, evidence=origin.evidence[:255])
    if event in ("joined", "left"):
        announce(f"member.{event}", list_id, {"email": email})


def count_request(origin: Origin) -> None:
    """Count a request against its network.

    Raises:
        TooMany: more than `REQUESTS_AN_HOUR` this hour.
    """
    network = _network(origin.evidence) if origin.surface == "web" else ""
    if not network:
        return
    hour = int(time.time() // 3600)
    row, made = Attempt.objects.get_or_create(network=network, hour=hour, defaults={"count": 1})
    if made:
        return
    if row.count >= REQUESTS_AN_HOUR:
        raise TooMany("Too many requests came from your network. Please try again in an hour.")
    Attempt.objects.filter(pk=row.pk).update(count=F("count") + 1)


def _network(address: str) -> str:
    """The IPv4 address, or the /64 that one customer has of IPv6 (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def forget_old(now: datetime | None = None) -> None:
    """Drop counters of past hours, and the steps of memberships that ended long ago."""
    moment = now or timezone.now()
    Attempt.objects.filter(hour__lt=int(moment.timestamp() // 3600) - 1).delete()
    ended = Consent.objects.filter(event="left", at__lt=moment - timedelta(days=_DAYS_AFTER_LEAVING))
    for list_id, email, at in ended.values_list("list_id", "email", "at").iterator():
        Consent.objects.filter(list_id=list_id, email=email, at__lte=at).delete()
