"""What a domain publishes about mail that was changed on the way: its DMARC record (RFC 7489 §6.3)."""

import functools
import time
from collections.abc import Sequence

import dns.exception
import dns.resolver
from publicsuffixlist import PublicSuffixList

SECONDS = 3.0
LIFETIME = 5.0
REMEMBERED = 900.0
"""Seconds an answer counts; a list gets many posts of the same domains."""

_answers: dict[str, tuple[float, bool]] = {}


@functools.cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def organisational_domain(domain: str) -> str:
    """The domain somebody registered, by the public suffix list; the domain itself when there is none."""
    return str(_suffixes().privatesuffix(domain.lower()) or domain.lower())


def _texts(name: str) -> Sequence[str] | None:
    """TXT records of a name; empty when there are none, None when DNS gave no answer."""
    resolver = dns.resolver.Resolver()
    resolver.timeout, resolver.lifetime = SECONDS, LIFETIME
    try:
        found = resolver.resolve(name, "TXT")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.DNSException:
        return None
    return [b"".join(record.strings).decode("utf-8", "replace") for record in found]


def asks_to_refuse(domain: str) -> bool:
    """Whether the domain's policy is reject or quarantine; without an answer we assume so, to be on the safe side."""
    domain = domain.lower().rstrip(".")
    known = _answers.get(domain)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    answer = _policy(domain)
    if len(_answers) > 10_000:
        _answers.clear()
    _answers[domain] = (time.monotonic() + REMEMBERED, answer)
    return answer


def _policy(domain: str) -> bool:
    parent = organisational_domain(domain)
    for name, tags in ((domain, ("p",)), (parent, ("sp", "p"))):
        if name == domain and tags != ("p",):
            continue  # The domain is the organisational one: asked already.
        texts = _texts(f"_dmarc.{name}")
        if texts is None:
            return True
        records = [text for text in texts if text.replace(" ", "").lower().startswith("v=dmarc1")]
        if len(records) > 1:
            return False
        if records:
            return _strict(records[0], tags)
    return False


def _strict(record: str, tags: tuple[str, ...]) -> bool:
    values = {
        key.strip().lower(): value.strip().lower() for key, _, value in (p.partition("=") for p in record.split(";"))
    }
    policy = next((values[tag] for tag in tags if tag in values), "none")
    return policy in ("reject", "quarantine")
