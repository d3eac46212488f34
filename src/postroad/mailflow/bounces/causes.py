"""What a failure says about the recipient: enhanced status codes told apart (RFC 3463, RFC 7505, RFC 8314)."""

import re
from typing import Literal

Cause = Literal["address", "full", "policy", "temporary"]
"""`address`: nobody there. `full`: somebody there who cannot take it now. `policy`: the mail or its sender was
refused, which is no fault of the member. `temporary`: it may still arrive."""

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")

# X.1.7 and X.1.8 speak of the sender's address, X.4.4 of a domain without route: nobody can be reached there.
_ADDRESS = {(1, 0), (1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 0), (2, 1), (4, 4)}
_FULL = {(2, 2)}

_SAYS_POLICY = re.compile(
    r"\bspam|\bpolicy|block(?:ed|list)|blacklist|reputation|\bdmarc\b|\bspf\b|\bdkim\b|unauthenticated|unsolicited"
    r"|not accepted due to|rate limit|too many (?:messages|connections)",
    re.IGNORECASE,
)
_SAYS_FULL = re.compile(
    r"mailbox (?:is )?full|over ?quota|quota exceeded|exceeded (?:its |the )?storage", re.IGNORECASE
)


def cause_of(status: str, diagnostic: str) -> Cause:
    """Why it failed, from the enhanced status and, where that says nothing, from the words beside it."""
    found = _STATUS.search(status) or _STATUS.search(diagnostic)
    if found is None:
        return _by_words(diagnostic)
    kind, subject, detail = (int(number) for number in found.groups())
    if kind != 5:
        return "temporary"
    if (subject, detail) in _FULL:
        return "full"
    if subject == 0 or (subject, detail) == (1, 0):
        return _by_words(diagnostic)
    # Seen in practice: 5.1.1 beside "blocked for spam". The words are believed, for a wrong switch-off hurts more.
    if (subject, detail) in _ADDRESS and not _SAYS_POLICY.search(diagnostic):
        return "address"
    return "policy"


def _by_words(diagnostic: str) -> Cause:
    if _SAYS_POLICY.search(diagnostic):
        return "policy"
    return "full" if _SAYS_FULL.search(diagnostic) else "address"
