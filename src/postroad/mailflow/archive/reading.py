"""What the archive keeps of a mail beside its bytes, read from them alone; runs in processes without a database."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from postroad.foundation.message.addresses import parse_addresses
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import date_of, message_id_hash, references_of
from postroad.mailflow.archive.content import is_text, parts_of, plain_text
from postroad.mailflow.archive.search.analyser import joined_tokens

MOST_REFERENCES = 20
"""Of one mail that are followed: the nearest."""

_REPLY = re.compile(r"(?:(?:re|aw|sv|vs|antw|fwd?|wg)(?:\[\d{1,3}\])?:\s*)+", re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_PREVIEW = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail as read. `refers_to` holds Message-ID hashes, the nearest last; `words` are the index's three columns."""

    subject: str
    sender_name: str
    sender_email: str
    date: datetime | None
    refers_to: tuple[str, ...]
    preview: str
    attachments: int
    size: int
    words: tuple[str, str, str]


def read(raw: bytes, headers: Headers | None = None) -> Reading:
    """Read a mail, whose header may have been read already; never fails, whatever it is."""
    headers = headers or Headers.parse(raw)
    authors = parse_addresses(headers.get_all("from")[:1])
    subject = on_one_line(decode_words(headers.get("subject") or ""))
    name = on_one_line(authors[0].display_name if authors else "")[:255]
    email = authors[0].email[:320] if authors else ""
    parts = parts_of(raw)
    text = plain_text(raw, parts)
    return Reading(
        subject=subject, sender_name=name, sender_email=email, date=date_of(headers),
        refers_to=tuple(message_id_hash(r) for r in references_of(headers)[-MOST_REFERENCES:]),
        preview=_preview(text), attachments=sum(1 for part in parts if not is_text(part)), size=len(raw),
        words=(joined_tokens(subject), joined_tokens(f"{name} {email}"), joined_tokens(text)),
    )  # fmt: skip


def date_or(date: datetime | None, received: datetime) -> datetime:
    """When a mail was written; when it came, if its own date is missing or a clock that ran ahead made it."""
    return received if date is None or date > datetime.now(UTC) else date


def on_one_line(text: str) -> str:
    """Text of a header as a page can show it: white space in one, no control characters, 2000 characters.

    Characters that turn the direction of writing go too: a name with U+202E would turn round what stands behind it.
    """
    return " ".join(_CONTROLS.sub(" ", text[:4000]).split())[:2000]


def _preview(text: str) -> str:
    own = [line for line in text[:4000].split("\n") if line.strip() and not line.startswith(">")]
    return on_one_line(" ".join(own))[:_PREVIEW]


def subject_of_thread(subject: str) -> str:
    """The subject without its reply marks."""
    mark = _REPLY.match(subject)
    return (subject[mark.end() :] if mark else subject) or "(no subject)"
