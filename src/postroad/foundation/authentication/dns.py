"""Questions to DNS with an end: short time-outs, answers remembered for their time, and a pause when nobody answers."""

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from postroad.foundation.configuration import current
from postroad.foundation.errors import TryLater
from postroad.foundation.message.addresses import domain_to_ascii
from postroad.foundation.sections import Dns

SHORTEST_MEMORY = 60.0
"""Seconds every answer counts, and how long a failure does."""
LONGEST_MEMORY = 3600.0
NEGATIVE_MEMORY = 300.0
MOST_REMEMBERED = 10_000
FAILURES_IN_A_ROW = 3
"""So many names without an answer mean that the name server is away, not that the names are bad."""
PAUSE = 30.0
"""Seconds in which nobody is asked then: a batch of mails must not wait for each time-out."""
LONGEST_RECORD = 4096


@dataclass(frozen=True, slots=True)
class Reply:
    """What DNS said about a name: its records of the kind asked for, and whether the name exists at all."""

    records: tuple[str, ...] = ()
    exists: bool = True


class NoReply(TryLater):
    """DNS gave no answer in time, or a broken one; the records may exist."""


class NotAsked(Exception):
    """The answer is not in memory, and this is no place to wait for one."""


_remembered: dict[tuple[str, str], tuple[float, Reply | None]] = {}
_failures = 0
_away_until = 0.0
_memory_only = ContextVar("memory_only", default=False)


@contextmanager
def from_memory() -> Iterator[None]:
    """Where nobody may wait, as in a transaction: a question that is not answered yet raises `NotAsked`."""
    token = _memory_only.set(True)
    try:
        yield
    finally:
        _memory_only.reset(token)


def lookup(name: str, kind: str = "TXT") -> Reply:
    """The records of a name, from memory or by one question; a name that cannot be in DNS does not exist.

    Raises:
        NoReply: neither an answer nor a denial within the time of `[dns]`.
        NotAsked: it would have to be asked for now, inside `from_memory()`.
    """
    try:
        question = dns.name.from_text(domain_to_ascii(name.rstrip(".")))
    except (ValueError, dns.exception.DNSException):
        return Reply(exists=False)
    key = (str(question).lower(), kind)
    known = _remembered.get(key)
    if known is None or known[0] <= time.monotonic():
        if _memory_only.get():
            raise NotAsked(name)
        known = _ask(question, kind)
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        _remembered[key] = known
    if known[1] is None:
        raise NoReply(f"DNS gave no answer about {name}.")
    return known[1]


def forget() -> None:
    """Ask anew for everything."""
    global _failures, _away_until
    _remembered.clear()
    _failures, _away_until = 0, 0.0


def _ask(question: dns.name.Name, kind: str) -> tuple[float, Reply | None]:
    """Until when the answer counts, and the answer; None when there was none."""
    global _failures, _away_until
    now = time.monotonic()
    if now < _away_until:
        return _away_until, None
    try:
        answer = _resolver(current().dns).resolve(question, kind, search=False)
    except dns.resolver.NXDOMAIN:
        reply, seconds = Reply(exists=False), NEGATIVE_MEMORY
    except dns.resolver.NoAnswer:
        reply, seconds = Reply(), NEGATIVE_MEMORY
    except dns.exception.DNSException:
        _failures += 1
        if _failures >= FAILURES_IN_A_ROW:
            _failures, _away_until = 0, time.monotonic() + PAUSE
        return time.monotonic() + SHORTEST_MEMORY, None
    else:
        ttl = float(answer.rrset.ttl) if answer.rrset is not None else 0.0
        reply, seconds = Reply(_texts(answer)), min(max(ttl, SHORTEST_MEMORY), LONGEST_MEMORY)
    _failures = 0
    return time.monotonic() + seconds, reply


def _texts(answer: dns.resolver.Answer) -> tuple[str, ...]:
    """Records as text; the strings of a TXT record are one (RFC 6376 §3.6.2.2)."""
    if answer.rdtype == dns.rdatatype.TXT:
        return tuple(b"".join(record.strings).decode("utf-8", "replace")[:LONGEST_RECORD] for record in answer)
    return tuple(record.to_text() for record in answer)


@functools.lru_cache(maxsize=4)
def _resolver(settings: Dns) -> dns.resolver.Resolver:
    """A resolver for the `[dns]` section; the system's name servers unless it names others."""
    resolver = dns.resolver.Resolver(configure=not settings.servers)
    if settings.servers:
        resolver.nameservers = [_server(address) for address in settings.servers]
    resolver.timeout, resolver.lifetime = settings.timeout_seconds, settings.lifetime_seconds
    return resolver


def _server(address: str) -> dns.nameserver.Nameserver:
    """A name server of the configuration: `192.0.2.1`, or `127.0.0.1:5353`."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and host.count(":") == 0:
        return dns.nameserver.Do53Nameserver(host, int(port))
    return dns.nameserver.Do53Nameserver(address.strip("[]"), 53)
