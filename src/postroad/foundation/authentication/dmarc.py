"""What the owner of a domain asks of those who get mail with the domain in From: DMARC (RFC 9989), by tree walk."""

import time
from collections.abc import Iterator
from typing import Literal, NamedTuple

from postroad.foundation.authentication.dns import NoReply, lookup
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import domain_forms

Request = Literal["none", "quarantine", "reject"]

MOST_LABELS = 7
"""A walk from a deeper name jumps here, so that it takes 8 questions at most (RFC 9989 §4.10)."""

_MILDER: dict[str, Request] = {"reject": "quarantine", "quarantine": "none"}
_REQUESTS: dict[str, Request] = {"none": "none", "quarantine": "quarantine", "reject": "reject"}


class Record(NamedTuple):
    """A domain's DMARC record."""

    domain: str
    tags: dict[str, str]


def requested_of_receivers(domain: str) -> Request:
    """What the domain asks for mail that fails: its own record, else that of the domain it belongs to (§4.10.1).

    Raises:
        NoReply: DNS gave no answer on the way.
    """
    domain = _normal(domain)
    own = _record(domain)
    if own is not None:
        return _request(own, ("p",))
    found = list(_walk(domain))
    organisation = _organisation(domain, found)
    record = next((r for r in found if r.domain == organisation), None)
    record = record or next((r for r in found if r.tags.get("psd") == "y"), None)
    if record is None:
        return "none"
    if "np" in record.tags and not _exists(domain):
        return _request(record, ("np",))
    return _request(record, ("sp", "p"))


def organisational_domain(domain: str) -> str:
    """The domain that answers for this one, by the records found on the way up; itself if there are none (§4.10.2).

    Raises:
        NoReply: DNS gave no answer on the way.
    """
    domain = _normal(domain)
    return _organisation(domain, list(_walk(domain)))


def is_aligned(one: str, other: str) -> bool:
    """Whether two domains belong to the same owner: relaxed alignment (§4.4). Asks DNS only for parent and child.

    Raises:
        NoReply: DNS gave no answer on the way.
    """
    one, other = _normal(one), _normal(other)
    if one == other:
        return bool(one)
    related = one.endswith(f".{other}") or other.endswith(f".{one}") or _share_two_labels(one, other)
    return related and organisational_domain(one) == organisational_domain(other)


def _share_two_labels(one: str, other: str) -> bool:
    return one.split(".")[-2:] == other.split(".")[-2:]


def _normal(domain: str) -> str:
    return domain_forms(domain.strip("."))[0]


def _walk(domain: str) -> Iterator[Record]:
    """The records from this name up to the top, until one says that it is, or is not, a public suffix (§4.10)."""
    labels = domain.split(".")
    deadline = time.monotonic() + current().dns.lifetime_seconds
    while labels:
        if time.monotonic() > deadline:
            raise NoReply(f"DNS takes too long to say who answers for {domain}.")
        record = _record(".".join(labels))
        if record is not None:
            yield record
            if record.tags.get("psd") in ("y", "n"):
                return
        labels = labels[1:] if len(labels) <= MOST_LABELS else labels[-MOST_LABELS:]


def _organisation(domain: str, found: list[Record]) -> str:
    last = found[-1] if found else None
    if last is None:
        return domain
    if last.tags.get("psd") == "y" and last.domain != domain:
        below = len(last.domain.split(".")) + 1
        return ".".join(domain.split(".")[-below:])
    return last.domain  # psd=n, or the one with the fewest labels.


def _record(domain: str) -> Record | None:
    """The domain's one valid record; several count as none (§4.10 step 2)."""
    texts = lookup(f"_dmarc.{domain}").records
    found = [tags for tags in map(_tags, texts) if tags is not None]
    return Record(domain, found[0]) if len(found) == 1 else None


def _tags(text: str) -> dict[str, str] | None:
    """The tags of a record, None if it is not one: `v=DMARC1` comes first, in capitals (§4.8)."""
    pairs = [(name.strip().lower(), value.strip()) for name, _, value in (p.partition("=") for p in text.split(";"))]
    if pairs[0] != ("v", "DMARC1"):
        return None
    tags: dict[str, str] = {}
    for name, value in pairs:
        tags.setdefault(name, value.lower())
    return tags


def _request(record: Record, names: tuple[str, ...]) -> Request:
    """The first of these tags that is there; a broken record asks for nothing, a test for one step less (§4.7)."""
    if any(record.tags[tag] not in _REQUESTS for tag in ("p", "sp", "np") if tag in record.tags):
        return "none"
    request = _REQUESTS[next((record.tags[name] for name in names if name in record.tags), "none")]
    return _MILDER.get(request, "none") if record.tags.get("t") == "y" else request


def _exists(domain: str) -> bool:
    """Whether mail could come from it: there is an address or a mail exchanger (§3.2.13)."""
    return any(lookup(domain, kind).records for kind in ("MX", "A", "AAAA"))
