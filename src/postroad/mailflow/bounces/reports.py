"""Reads a mail that came back: delivery reports (RFC 3464), old formats, complaints (RFC 5965). Never raises."""

import contextlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesParser
from typing import Literal

from postroad.foundation.message.addresses import identity
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.mime import MimeTooComplex, Part, walk
from postroad.mailflow.bounces.causes import Cause, cause_of

MOST_RECIPIENTS = 100
"""Recipients of one report that are looked at; nobody's report has more."""
# Seen in practice: its detectors fail on odd mails, and each failure would be a page of the log.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)

_ACTIONS = {"failed": "failed", "failure": "failed", "error": "failed", "delayed": "delayed"}
"""Seen in practice: other words than RFC 3464's, and comments behind them."""
MOST_BYTES = 1_000_000
"""Of an old format, this much is searched."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient who could not be reached; `email` is empty where the report does not say who."""

    email: str
    cause: Cause
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail to the bounce address turned out to be."""

    kind: Literal["failure", "complaint", "automatic", "unknown"]
    failures: tuple[Failure, ...] = ()
    returned: bytes = b""
    """The header of our mail that the report is about, where it is given back."""


def read(raw: bytes) -> Report:
    """What came back: failures by recipient, a complaint, some program's answer, or nothing known."""
    headers = Headers.parse(raw)
    try:
        root = walk(raw)
    except MimeTooComplex:
        return Report("unknown")
    parts = list(_outer(root))
    if any(part.content_type == "message/feedback-report" for part in parts):
        return Report("complaint", returned=_returned(raw, parts))
    failures = tuple(_delivery_status(raw, parts)) or tuple(_old_formats(raw[: _begin_of_returned(raw, parts)]))
    if failures:
        return Report("failure", failures, _returned(raw, parts))
    automatic = (headers.get("auto-submitted") or "no").partition(";")[0].strip().lower() != "no"
    return Report("automatic" if automatic and not root.children else "unknown")


def _outer(root: Part) -> Iterator[Part]:
    """The report's own parts; what stands inside the returned mail is the author's and proves nothing."""
    yield root
    if not root.content_type.startswith("message/"):
        for child in root.children:
            yield from _outer(child)


def _returned(raw: bytes, parts: list[Part]) -> bytes:
    """The header of the mail given back in the report."""
    for part in parts:
        if part.content_type in ("text/rfc822-headers", "message/rfc822-headers"):
            return part.decoded(raw)
        if part.content_type in ("message/rfc822", "message/global"):
            inner = part.decoded(raw)
            return inner[: Headers.parse(inner).body_offset]
    return b""


def _begin_of_returned(raw: bytes, parts: list[Part]) -> int:
    """Where the mail that is given back begins; an old report has said everything before that."""
    return min((part.start for part in parts[1:] if part.content_type.startswith("message/")), default=len(raw))


def _delivery_status(raw: bytes, parts: list[Part]) -> Iterator[Failure]:
    """The recipients of RFC 3464 §2.3 (and RFC 6533) that failed; delayed, relayed and delivered ones did not."""
    for part in parts:
        if part.content_type not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        blocks = re.split(rb"(?:\r?\n){2,}", part.decoded(raw).strip())
        for block in blocks[: MOST_RECIPIENTS + 1]:
            fields = Headers.parse(block + b"\r\n\r\n")
            action = _ACTIONS.get((fields.get("action") or "").partition("(")[0].strip().lower())
            recipient = fields.get("original-recipient") or fields.get("final-recipient") or ""
            if not recipient or action is None:
                continue
            status = (fields.get("status") or "").partition(" ")[0]
            diagnostic = (fields.get("diagnostic-code") or "").partition(";")[2].strip()[:500]
            cause = "temporary" if action == "delayed" else cause_of(status, diagnostic)
            yield Failure(_address(recipient), cause, status[:16], diagnostic)


def _address(field: str) -> str:
    """The address of a typed field such as `rfc822; anne@example.org`, lower-case."""
    text = field.rpartition(";")[2].strip().strip("<>").strip()
    return identity(text) if "@" in text and not re.search(r"\s", text) else ""


def _old_formats(raw: bytes) -> Iterator[Failure]:
    """What the collected wisdom about reports before RFC 3464 finds."""
    from flufl.bounce import all_failures  # Loaded late: a site's memory, and most reports do not need it.

    found: tuple[Iterable[bytes], Iterable[bytes]] = ((), ())
    with contextlib.suppress(Exception):
        found = all_failures(_message(raw[:MOST_BYTES]))
    temporary, permanent = found
    for emails, cause in ((permanent, "address"), (temporary, "temporary")):
        for email in sorted(emails)[:MOST_RECIPIENTS]:
            address = _address(email.decode("utf-8", "replace"))
            if address:
                words = _words_beside(raw, email)
                yield Failure(address, cause_of("", words) if cause == "address" else "temporary", "", words)


def _message(raw: bytes) -> Message:
    return BytesParser(policy=policy.compat32).parsebytes(raw)


def _words_beside(raw: bytes, email: bytes) -> str:
    """The text around an address in an old report: the server's own words."""
    at = raw.lower().find(email.lower())
    return " ".join(raw[max(0, at) : at + 500].decode("utf-8", "replace").split()) if at >= 0 else ""


def returned_fields(report: Report, name: str) -> list[str]:
    """The values of a field of the mail that is given back."""
    return Headers.parse(report.returned).get_all(name)
