"""What names a mail and ties it to others: Message-ID, its hash, References, Date."""

import base64
import hashlib
import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from postroad.foundation.message.headers import Headers

_ID = re.compile(r"<([^<>\s]{1,900})>")
MOST_REFERENCES = 200
"""References that are looked at; the newest stand last, so the first are left out."""


def message_id_of(headers: Headers) -> str | None:
    """The Message-ID without its angle brackets, or None.

    Seen in practice: `<[id]>`, no brackets, a comment behind, several fields.
    """
    value = headers.get("message-id")
    if value is None:
        return None
    match = _ID.search(value)
    text = match[1] if match else value.split()[0].strip("<>") if value.split() else ""
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    return text[:900] or None


def message_id_hash(message_id: str) -> str:
    """Mailman's X-Message-ID-Hash: SHA-1 in Base32, 32 characters."""
    text = message_id.strip()
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    digest = hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return base64.b32encode(digest).decode("ascii")


def new_message_id(domain: str) -> str:
    """A fresh Message-ID, without angle brackets."""
    return f"{time.time_ns()}.{secrets.token_hex(8)}@{domain}"


def references_of(headers: Headers) -> list[str]:
    """What the mail refers to, oldest first, without repetition: References, then In-Reply-To (RFC 5322 §3.6.4)."""
    found = _ID.findall(headers.get("references") or "")[-MOST_REFERENCES:]
    found += _ID.findall(headers.get("in-reply-to") or "")[:1]
    return list(dict.fromkeys(found))


def date_of(headers: Headers) -> datetime | None:
    """When the author says it was written, in UTC; None when that cannot be read."""
    value = headers.get("date")
    if not value:
        return None
    try:
        date = parsedate_to_datetime(value[:200])
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        date = date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date if datetime(1970, 1, 2, tzinfo=UTC) < date < datetime.now(UTC) + timedelta(days=36_500) else None
