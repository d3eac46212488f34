"""Which DKIM signatures a change breaks, told without a key: what a signature covers must stay as it was (RFC 6376)."""

import re
from collections import Counter
from dataclasses import dataclass

from postroad.foundation.message.headers import Headers

_TAG = re.compile(r"(?:^|;)\s*([a-z]+)\s*=\s*([^;]*)")


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature field: who signed, and which fields it covers (with repetitions, lower-case)."""

    domain: str
    fields: tuple[str, ...]


def signatures_of(headers: Headers) -> list[Signature]:
    """The mail's DKIM signatures; one that cannot be read covers nothing and is left out."""
    found = []
    for value in headers.get_all("dkim-signature")[:20]:
        tags = {match[1]: re.sub(r"\s+", "", match[2]) for match in _TAG.finditer(value[:20_000])}
        if tags.get("d") and tags.get("h"):
            found.append(Signature(tags["d"].lower(), tuple(tags["h"].lower().split(":"))))
    return found


def broken_by(before: bytes, after: bytes) -> dict[str, str]:
    """Domain of each signature that `after` no longer bears, and the first thing changed: a field's name or `body`.

    A signature that covers only the beginning of a body (`l=`) counts as covering all of it.
    """
    old, new = Headers.parse(before), Headers.parse(after)
    body = before[old.body_offset :] == after[new.body_offset :]
    broken: dict[str, str] = {}
    still = Counter(field.raw for field in new if field.name.lower() == "dkim-signature")
    for signature in signatures_of(old):
        change = _changed_field(old, new, signature) or ("" if body else "body")
        if not still:
            change = "dkim-signature"
        if change:
            broken.setdefault(signature.domain, change)
    return broken


def _changed_field(old: Headers, new: Headers, signature: Signature) -> str:
    """The name of a covered field that is another now; fields are taken from the bottom up (RFC 6376 §5.4.2)."""
    for name, count in Counter(signature.fields).items():
        if _lowest(old, name, count) != _lowest(new, name, count):
            return name
    return ""


def _lowest(headers: Headers, name: str, count: int) -> list[bytes]:
    return [field.raw for field in headers if field.name.lower() == name][-count:]
