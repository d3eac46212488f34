"""Which rules are asked in which order, and what a hit leads to; read it from top to bottom."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from postroad.mailflow.moderation import header_matches
from postroad.mailflow.moderation.rules import (
    administrivia,
    any_hit,
    approved,
    automatic_reply,
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
    truth,
    unauthenticated_sender,
)
from postroad.mailflow.moderation.verdict import Rule

Then = Literal["accept", "hold", "reject", "discard", "as it says", "collect"]


@dataclass(frozen=True, slots=True)
class Link:
    """A rule and what its hit leads to; a rule that is not `recorded` is named neither among hits nor misses."""

    rule: Rule
    then: Then
    recorded: bool = True


Chain = tuple[Link, ...]

DEFAULT_POSTING_CHAIN: Chain = (
    Link(dmarc_mitigation, "as it says"),
    Link(no_senders, "discard"),
    Link(approved, "accept"),
    Link(loop, "discard"),
    Link(automatic_reply, "discard"),
    Link(banned_address, "discard"),
    Link(header_matches, "as it says", recorded=False),
    Link(emergency, "hold"),
    Link(too_complex, "hold"),
    Link(unauthenticated_sender, "hold"),
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
    Link(any_hit, "hold", recorded=False),
    Link(truth, "accept", recorded=False),
)
"""`automatic-reply`, `too-complex` and `unauthenticated-sender` are ours; the rest is as facts: mail-flow §6."""

CHAINS: Mapping[str, Chain] = MappingProxyType(
    {
        "default-posting-chain": DEFAULT_POSTING_CHAIN,
        "default-owner-chain": (Link(loop, "discard"), Link(truth, "accept", recorded=False)),
        "header-match": (Link(header_matches, "as it says", recorded=False),),
        "moderation": (Link(member_moderation, "as it says"), Link(nonmember_moderation, "as it says")),
        "dmarc": (Link(dmarc_mitigation, "as it says"),),
        "accept": (Link(truth, "accept", recorded=False),),
        "hold": (Link(truth, "hold", recorded=False),),
        "reject": (Link(truth, "reject", recorded=False),),
        "discard": (Link(truth, "discard", recorded=False),),
    }
)
"""Every chain a list may name; who comes to the end of one is accepted."""
