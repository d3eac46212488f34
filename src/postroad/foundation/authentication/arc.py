"""ARC (RFC 8617): whether the chain a mail came with is whole, and what authentication said when it came here."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from postroad.foundation.authentication.canonical import relaxed_field
from postroad.foundation.authentication.results import Result, trusted_results
from postroad.foundation.authentication.verifying import (
    Mail,
    holds,
    signature_fits,
    tags_of,
    verifies,
    without_signature,
)

Status = Literal["none", "pass", "fail"]

MOST_SETS = 50
"""§4.2.1: a longer chain is broken, and nobody lengthens one that has as many."""
MOST_CHECKED = 15
"""Sets of a chain that is checked here; each costs a question to DNS."""
MOST_SIGNATURES = 3
_NAMES = ("arc-authentication-results", "arc-message-signature", "arc-seal")
_INSTANCE = re.compile(rb"(?:^|;)[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*(\d{1,3})[ \t\r\n]*(?:;|$)")
_PLAIN = re.compile(r"[!-:<-~]{1,200}")


class ArcSet(NamedTuple):
    """The three fields of one instance, as they are in the mail."""

    results: bytes
    signature: bytes
    seal: bytes


def instance_of(raw: bytes) -> int:
    """The `i=` of an ARC field; 0 when there is none."""
    match = _INSTANCE.search(raw.partition(b":")[2])
    return int(match[1]) if match else 0


def sets_of(fields: Sequence[tuple[str, bytes]]) -> list[ArcSet] | None:
    """The sets of a header's fields (name, bytes), the first instance first; None if they are no chain (§5.2)."""
    found: dict[int, dict[str, bytes]] = {}
    for name, raw in fields:
        if name.lower() in _NAMES:
            of_instance = found.setdefault(instance_of(raw), {})
            if name.lower() in of_instance:
                return None
            of_instance[name.lower()] = raw
    if sorted(found) != list(range(1, len(found) + 1)) or len(found) > MOST_SETS:
        return None
    if any(len(of_instance) != len(_NAMES) for of_instance in found.values()):
        return None
    return [ArcSet(*(found[i][name] for name in _NAMES)) for i in range(1, len(found) + 1)]


def status_of(mail: Mail) -> Status:
    """Whether the mail's chain of seals is whole (§5.2).

    Raises:
        NoReply: DNS gave no answer about a key.
    """
    sets = sets_of([(field.name, field.raw) for field in mail.headers])
    if sets is None or len(sets) > MOST_CHECKED:
        return "fail"
    if not sets:
        return "none"
    seals = [tags_of(one.seal) or {} for one in sets]
    if [tags.get("cv") for tags in seals] != [b"none", *[b"pass"] * (len(sets) - 1)]:
        return "fail"
    if not _newest_signature_holds(mail, sets[-1].signature):
        return "fail"
    whole = all(_seal_holds(sets[: number + 1], tags) for number, tags in reversed(list(enumerate(seals))))
    return "pass" if whole else "fail"


def _newest_signature_holds(mail: Mail, raw: bytes) -> bool:
    field = next(one for one in mail.headers if one.raw == raw)
    tags = tags_of(raw)
    if tags is None or "d" not in tags:
        return False
    names = tags.get("h", b"").lower().split(b":")
    return b"from" in names and b"arc-seal" not in names and holds(mail, field, _nameless(tags), names)


def _seal_holds(sets: Sequence[ArcSet], tags: Mapping[str, bytes]) -> bool:
    return "h" not in tags and signature_fits(_nameless(tags), sealed_bytes(sets))


def _nameless(tags: Mapping[str, bytes]) -> dict[str, bytes]:
    """Without `i=`, which counts sets here and names no identity (§4.1.2)."""
    return {name: value for name, value in tags.items() if name != "i"}


def sealed_bytes(sets: Sequence[ArcSet]) -> bytes:
    """What the seal of the last of these sets is a signature over (§5.1.1): all sets, without its own `b=`."""
    fields = [relaxed_field(raw) for one in sets for raw in one]
    return b"".join(fields[:-1]) + relaxed_field(without_signature(sets[-1].seal))[:-2]


def is_given_up(sets: Sequence[ArcSet]) -> bool:
    """Whether the newest seal says that the chain is broken: nobody adds another then (§5.1.2)."""
    return bool(sets) and (tags_of(sets[-1].seal) or {}).get("cv") == b"fail"


def results_of(mail: Mail, authserv_ids: Sequence[str]) -> str:
    """What authentication said about a mail as it came: by the trusted MTAs in front of us, else by our own check.

    It is written as in an Authentication-Results field, without the name of the judge (RFC 8601 §2.2).

    Raises:
        NoReply: DNS gave no answer about a key.
    """
    trusted = trusted_results(mail.headers.get_all("authentication-results"), authserv_ids) if authserv_ids else []
    found = [text for result in trusted[:20] if (text := _text_of(result))]
    return "; ".join(found or _own_check(mail))


def _text_of(result: Result) -> str:
    pairs = [(result.method, result.result), *result.properties.items()]
    return " ".join(f"{name}={value}" for name, value in pairs if _PLAIN.fullmatch(f"{name}={value}"))


def _own_check(mail: Mail) -> list[str]:
    signatures = [field for field in mail.headers if field.name.lower() == "dkim-signature"]
    found = []
    for signature in signatures[:MOST_SIGNATURES]:
        domain = (tags_of(signature.raw) or {}).get("d", b"").decode("ascii", "replace")
        if _PLAIN.fullmatch(domain):
            found.append(f"dkim={'pass' if verifies(mail, signature) else 'fail'} header.d={domain}")
    return found or ["dkim=none"]
