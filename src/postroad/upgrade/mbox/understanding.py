"""What there is to know of an old mail without a database; imported by other processes, so without models."""

import hashlib
import re
from calendar import timegm
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple

from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_of
from postroad.foundation.storage.packing import Packed, pack
from postroad.mailflow.archive.reading import Reading, read

_MONTHS = {name: number for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_ARRIVAL = re.compile(rb"\b([A-Za-z]{3}) +(\d{1,2}) +(\d{1,2}):(\d\d)(?::(\d\d))?\b.{0,80}?\b((?:19|20)\d\d)\b")


class Understood(NamedTuple):
    """A mail with everything that can be known without a database."""

    list_id: str
    content: Packed
    message_id: str
    received_at: float
    reading: Reading
    remarks: tuple[str, ...]
    addresses: tuple[str, ...]
    """Where pipermail had it, see `OldAddress`."""


class Raw(NamedTuple):
    """A mail as it was read, and what its mailbox says about it."""

    list_id: str
    raw: bytes
    received_at: float
    addresses: tuple[str, ...]
    attachment_folders: Collection[str]


def arrival(separator: bytes) -> float | None:
    """When a mail came, by the line before it, in seconds since 1970; zones are rare there and count as UTC."""
    match = _ARRIVAL.search(separator)
    if match is None or match[1].lower() not in _MONTHS:
        return None
    year, month, day = int(match[6]), _MONTHS[match[1].lower()], int(match[2])
    return float(timegm((year, month, day, int(match[3]), int(match[4]), int(match[5] or 0))))


def understand(pieces: list[Any]) -> list[Any]:
    """What there is to know of each mail; what is none stays what it is. Runs in other processes."""
    return [_understood(piece) if isinstance(piece, Raw) else piece for piece in pieces]


def _understood(piece: Raw) -> Understood:
    headers = Headers.parse(piece.raw)
    reading = read(piece.raw, headers)
    message_id = message_id_of(headers)
    remarks, addresses = [], list(piece.addresses)
    if message_id is None:
        message_id = f"{hashlib.sha256(piece.raw).hexdigest()[:32]}@no-message-id.invalid"
        remarks.append(f"it has no Message-ID and is known as <{message_id}> here")
    elif reading.attachments and piece.attachment_folders:
        folder = attachment_folder(headers.get("message-id") or "")
        if folder in piece.attachment_folders:
            addresses.append(f"attachments/{folder}")
    if reading.date is None or reading.date > datetime.now(UTC):
        shown = datetime.fromtimestamp(piece.received_at, UTC)
        remarks.append(f"its date ({(headers.get('date') or 'none')[:80]}) cannot be right: shown as of {shown:%F %T}")
    return Understood(
        piece.list_id, pack(piece.raw), message_id, piece.received_at, reading, tuple(remarks), tuple(addresses)
    )


def attachment_folder(message_id_field: str) -> str:
    """The folder below `attachments/DATE/` in which Mailman 2.1 kept the files of a mail: eight digits of a SHA-1."""
    digest = hashlib.sha1(message_id_field.encode("latin-1", "replace"), usedforsecurity=False).hexdigest()
    return digest[:4] + digest[-4:]
