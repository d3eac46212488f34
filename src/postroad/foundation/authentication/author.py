"""Whether a mail is by whom it says: the author's domain vouches for it, by DKIM, SPF or DMARC."""

from collections.abc import Iterator

from postroad.foundation.authentication.dmarc import is_aligned
from postroad.foundation.authentication.dns import NoReply
from postroad.foundation.authentication.results import trusted_results
from postroad.foundation.authentication.verifying import Mail, tags_of, verifies
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import parse_addresses
from postroad.foundation.message.headers import Field, Headers

LARGEST = 10_000_000
"""Octets of a mail whose signatures are checked here."""
MOST_SIGNATURES = 3
"""Signatures of the author's own domain that are tried; each costs a walk over the whole mail."""


def is_authentic(raw: bytes, headers: Headers) -> bool:
    """Whether the domain of the mail's one author vouches for it.

    By the results of an MTA named in `[mail] trusted_authserv_ids`, else by a DKIM signature that verifies here
    (RFC 6376). Several authors or From fields are vouched for by nobody: a signature covers but one. An answer
    that DNS does not give is no proof.
    """
    fields = headers.get_all("from")
    authors = parse_addresses(fields)
    if len(fields) != 1 or len(authors) != 1:
        return False
    domain = authors[0].domain
    try:
        return _mta_vouches(headers, domain) or _signature_vouches(raw, headers, domain)
    except NoReply:
        return False


def _mta_vouches(headers: Headers, domain: str) -> bool:
    trusted = current().mail.trusted_authserv_ids
    if not trusted:
        return False
    results = trusted_results(headers.get_all("authentication-results"), trusted)
    passed = (
        (result.method, name, value)
        for result in results
        if result.result == "pass"
        for name, value in result.properties.items()
    )
    return any(
        is_aligned(value.rpartition("@")[2], domain) for method, name, value in passed if (method, name) in _PROOFS
    )


_PROOFS = frozenset({("dkim", "header.d"), ("dkim", "header.i"), ("spf", "smtp.mailfrom"), ("dmarc", "header.from")})


def _signature_vouches(raw: bytes, headers: Headers, domain: str) -> bool:
    """Whether a signature of the author's domain, or one aligned with it, verifies (RFC 9989 §4.4.1)."""
    if len(raw) > LARGEST or "dkim-signature" not in headers:
        return False
    mail = Mail(raw, headers)
    return any(verifies(mail, signature) for signature in _signatures_of(headers, domain))


def _signatures_of(headers: Headers, domain: str) -> Iterator[Field]:
    """The signatures by the domain; one over a part of the body only (`l=`) proves nothing about the rest."""
    tried = 0
    for signature in [one for one in headers if one.name.lower() == "dkim-signature"][:20]:
        tags = tags_of(signature.raw) or {}
        signer = tags.get("d", b"").decode("utf-8", "replace")
        if tried < MOST_SIGNATURES and "l" not in tags and is_aligned(signer, domain):
            tried += 1
            yield signature
