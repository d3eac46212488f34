"""Addresses that are one mailbox but two people here (ADR 12)."""

from collections.abc import Iterator
from itertools import islice

from postroad.community.people import twins
from postroad.foundation.message.addresses import identity
from postroad.project.doctor.finding import Finding, bad, ok

MOST_TWINS = 50


def look() -> Iterator[Finding]:
    """Each address whose other form is known too."""
    found = list(islice(twins.find(), MOST_TWINS))
    for twin in found:
        other = identity(twin.email)
        yield bad(f"{twin.email} and {other} are one mailbox but two people", f"`postroad user unite {other}`")
    if not found:
        yield ok("every mailbox is one address")
