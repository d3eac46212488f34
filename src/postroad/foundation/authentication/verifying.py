"""Whether a DKIM signature holds: what it says, its key in DNS, and the hashes (RFC 6376 §6, RFC 8463).

ARC's message signatures are of the same kind and are checked here too.
"""

import base64
import binascii
import hashlib
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from postroad.foundation.authentication.canonical import relaxed_body, relaxed_field, simple_body
from postroad.foundation.authentication.dns import lookup
from postroad.foundation.authentication.keys import PublicKey, public_key
from postroad.foundation.message.addresses import domain_to_ascii
from postroad.foundation.message.headers import Field, Headers

LONGEST = 20_000
"""Octets of a signature field that are looked at."""
MOST_FIELDS = 500
"""Fields a signature may name."""
CLOCK_SKEW = 300.0
"""Seconds another's clock may be ahead of ours."""

_TAG = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_B = re.compile(rb"(^|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_SPACE = re.compile(rb"[ \t\r\n]+")


def tags_of(raw: bytes) -> dict[str, bytes] | None:
    """The tags of a signature field, their white space taken out; None if it is no tag list (RFC 6376 §3.2)."""
    if len(raw) > LONGEST:
        return None
    found: dict[str, bytes] = {}
    for part in raw.partition(b":")[2].split(b";"):
        name, sign, value = part.partition(b"=")
        name = name.strip(b" \t\r\n")
        if not sign and not name:
            continue
        if not sign or not _TAG.fullmatch(name) or name.decode() in found:
            return None
        found[name.decode()] = _SPACE.sub(b"", value)
    return found


@dataclass(slots=True)
class Mail:
    """A mail whose signatures are checked: header, body, and body hashes that were computed already."""

    raw: bytes
    headers: Headers
    _hashes: dict[tuple[bytes, int], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: bytes) -> "Mail":
        """Find the header of a mail in CRLF lines."""
        return cls(raw, Headers.parse(raw))

    def body_hash(self, form: bytes, length: int) -> bytes:
        """SHA-256 of the body in a canonical form, of all of it when `length` is negative."""
        key = (form, length)
        if key not in self._hashes:
            body = self.raw[self.headers.body_offset :]
            made = relaxed_body(body) if form == b"relaxed" else simple_body(body)
            self._hashes[key] = hashlib.sha256(made if length < 0 else made[:length]).digest()
        return self._hashes[key]


def verifies(mail: Mail, signature: Field) -> bool:
    """Whether this signature field of the mail holds now.

    Raises:
        NoReply: DNS gave no answer about its key.
    """
    tags = tags_of(signature.raw)
    if tags is None or tags.get("v") != b"1" or not _is_current(tags) or not _identity_fits(tags):
        return False
    names = tags.get("h", b"").lower().split(b":")
    return b"from" in names and holds(mail, signature, tags, names)


def holds(mail: Mail, signature: Field, tags: Mapping[str, bytes], names: list[bytes]) -> bool:
    """Whether body, named fields and the signature itself are what the key's owner signed.

    Raises:
        NoReply: DNS gave no answer about its key.
    """
    header_form, _, body_form = tags.get("c", b"simple/simple").partition(b"/")
    body_form = body_form or b"simple"
    if {header_form, body_form} - {b"simple", b"relaxed"} or len(names) > MOST_FIELDS:
        return False
    length = int(tags["l"]) if tags.get("l", b"x").isdigit() and len(tags["l"]) < 12 else -1
    if mail.body_hash(body_form, length) != _decoded(tags.get("bh", b"")):
        return False
    picked = _picked(mail.headers, names, signature)
    relaxed = header_form == b"relaxed"
    signed = b"".join(relaxed_field(raw) if relaxed else raw for raw in picked)
    own = without_signature(signature.raw)
    signed += relaxed_field(own)[:-2] if relaxed else own.rstrip(b"\r\n")
    return signature_fits(tags, signed)


def signature_fits(tags: Mapping[str, bytes], signed: bytes) -> bool:
    """Whether `b=` is a signature over these bytes by the key that the tags name.

    Raises:
        NoReply: DNS gave no answer about the key.
    """
    algorithm, _, hash_name = tags.get("a", b"").decode("ascii", "replace").partition("-")
    if hash_name != "sha256":  # RFC 8301 §3.1: SHA-1 proves nothing.
        return False
    key = _key_of(tags)
    if key is None or key.algorithm != algorithm or (key.hashes and hash_name not in key.hashes):
        return False
    if key.exact_domain and "i" in tags and tags["i"].rpartition(b"@")[2].lower() != tags["d"].lower():
        return False
    return key.verifies(_decoded(tags.get("b", b"")), hashlib.sha256(signed).digest())


def without_signature(raw: bytes) -> bytes:
    """A signature field with the value of its `b=` taken out (§3.7)."""
    name, colon, value = raw.partition(b":")
    return name + colon + _B.sub(rb"\1\2", value, count=1)


def _key_of(tags: Mapping[str, bytes]) -> PublicKey | None:
    try:
        name = f"{tags['s'].decode('ascii')}._domainkey.{domain_to_ascii(tags['d'].decode())}"
    except (KeyError, ValueError):
        return None
    records = lookup(name).records
    return public_key(records[0]) if len(records) == 1 else None


def _picked(headers: Headers, names: list[bytes], signature: Field) -> list[bytes]:
    """The fields named, each time the lowest one that is not taken yet (§5.4.2); the signature itself is none."""
    by_name: dict[str, list[bytes]] = {}
    for one in headers:
        if one.start != signature.start:
            by_name.setdefault(one.name.lower(), []).append(one.raw)
    taken: Counter[str] = Counter()
    picked = []
    for name in names:
        text = name.decode("ascii", "replace")
        there = by_name.get(text, [])
        taken[text] += 1
        if taken[text] <= len(there):
            picked.append(there[-taken[text]])
    return picked


def _is_current(tags: Mapping[str, bytes]) -> bool:
    """Neither expired nor signed in the future (§3.5)."""
    now = time.time()
    moments = [tags.get(tag, b"0") for tag in ("t", "x")]
    if not all(moment.isdigit() and len(moment) < 13 for moment in moments):
        return False
    signed, expires = map(int, moments)
    return signed <= now + CLOCK_SKEW and not 0 < expires < now - CLOCK_SKEW


def _identity_fits(tags: Mapping[str, bytes]) -> bool:
    """`i=` is of the signing domain or below it (§3.5)."""
    domain = tags.get("d", b"").lower()
    identity = tags.get("i", b"@" + domain).rpartition(b"@")[2].lower()
    return bool(domain) and (identity == domain or identity.endswith(b"." + domain))


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return b""
