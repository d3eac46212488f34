"""Which rules are asked in which order, and what a hit leads to; read it from top to bottom."""

from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from postroad.mailflow.moderation.rules import (
    administrivia,
    approved,
    banned_address,
    digests,
    dmarc_mitigation,
    emergency,
    implicit_dest,
    loop,
    max_recipients,
    max_size,
    member_moderation,
    news_moderation,
    no_senders,
    no_subject,
    nonmember_moderation,
    suspicious_header,
    too_complex,
)

Then = Literal["accept", "hold", "reject", "discard", "as it says", "collect", "header matches", "hold if any"]


@dataclass(frozen=True, slots=True)
class Link:
    """A rule and what its hit leads to."""

    rule: ModuleType | None
    then: Then


DEFAULT_POSTING_CHAIN = (
    Link(dmarc_mitigation, "as it says"),
    Link(no_senders, "discard"),
    Link(approved, "accept"),
    Link(loop, "discard"),
    Link(banned_address, "discard"),
    Link(None, "header matches"),
    Link(emergency, "hold"),
    Link(too_complex, "hold"),
    Link(member_moderation, "as it says"),
    Link(nonmember_moderation, "as it says"),
    Link(administrivia, "collect"),
    Link(implicit_dest, "collect"),
    Link(max_recipients, "collect"),
    Link(max_size, "collect"),
    Link(news_moderation, "collect"),
    Link(no_subject, "collect"),
    Link(digests, "collect"),
    Link(suspicious_header, "collect"),
    Link(None, "hold if any"),
)
"""Whoever comes to its end is accepted. `too-complex` is ours; the rest is Mailman's order."""
