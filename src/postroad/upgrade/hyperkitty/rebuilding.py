"""Makes a mail of what HyperKitty kept of it: author, subject, date, text, and attachments byte for byte.

Runs in other processes, where there is no database and no Django.
"""

import base64
import dataclasses
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

from postroad.foundation.message.encoded_words import encode_parameter, encode_phrase, encode_words
from postroad.foundation.storage.packing import Packed, pack
from postroad.mailflow.archive.old_attachments import COUNTER
from postroad.mailflow.archive.reading import Reading, read

NOTE = "rebuilt from an archive that kept only text and attachments"
_TYPE = re.compile(r"[!#$&^_.+A-Za-z0-9-]+/[!#$&^_.+A-Za-z0-9-]+")
_CHARSET = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_CONTROL = re.compile("[\0-\x1f\x7f]+")
_LONGEST_LINE = 900


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a mail as HyperKitty kept it."""

    name: str
    content_type: str
    charset: str
    data: bytes
    counter: int
    """Its number in HyperKitty's addresses."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of one mail; `original` goes before everything else."""

    list_address: str
    message_id: str
    sender: str
    sender_name: str
    subject: str
    date: datetime
    minutes: int
    """The author's time zone, east of UTC."""
    in_reply_to: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    original: bytes | None = None


@dataclass(slots=True)
class Old:
    """A row of HyperKitty's, and what is fetched for it when it is new."""

    row: dict[str, Any]
    kept: Kept | None = None
    missing: tuple[str, ...] = ()
    """Attachments whose file is gone."""
    read: tuple[Packed, Reading] | None = None


def prepared(olds: list[Old]) -> list[Old]:
    """Mails with their bytes and what is read in them; runs in processes without a database."""
    new = [old for old in olds if old.kept is not None]
    for old, found in zip(new, _read([old.kept for old in new if old.kept is not None]), strict=True):
        old.read = found
        old.kept = _without_bytes(old.kept)
    return olds


def _without_bytes(kept: Kept | None) -> Kept | None:
    """What is in the mail by now needs not travel twice between processes."""
    return kept and dataclasses.replace(kept, text="", attachments=(), original=None)


def _read(mails: list[Kept]) -> list[tuple[Packed, Reading]]:
    """The bytes of each mail as they are kept, and what the archive reads in them."""
    return [(pack(raw), read(raw)) for raw in (mail.original or rebuilt(mail) for mail in mails)]


def rebuilt(mail: Kept) -> bytes:
    """A mail in the form of RFC 5322 and RFC 2045."""
    author = f"{encode_phrase(mail.sender_name)} <{_token(mail.sender)}>" if mail.sender_name else _token(mail.sender)
    fields = [
        ("From", author),
        ("To", _token(mail.list_address)),
        ("Subject", encode_words(_CONTROL.sub(" ", mail.subject))),
        ("Date", _date(mail)),
        ("Message-ID", f"<{_token(mail.message_id)}>"),
        ("In-Reply-To", f"<{_token(mail.in_reply_to)}>" if mail.in_reply_to else ""),
        ("Comments", NOTE),
        ("MIME-Version", "1.0"),
    ]
    head = b"".join(f"{name}: {value}\r\n".encode("utf-8", "replace") for name, value in fields if value)
    if not mail.attachments:
        return head + _text_part(mail.text)
    boundary = f"=_{mail_hash(mail)}"
    parts = [_text_part(mail.text), *(_attachment(part) for part in mail.attachments)]
    fence = f"\r\n--{boundary}".encode()
    body = b"".join(fence + b"\r\n" + part for part in parts) + fence + b"--\r\n"
    return head + f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n'.encode() + body


def mail_hash(mail: Kept) -> str:
    """A boundary that stands in none of the parts: text parts would have to hold their own hash."""
    digest = hashlib.sha256(mail.message_id.encode("utf-8", "replace") + mail.text.encode("utf-8", "replace"))
    return digest.hexdigest()[:40]


def _token(text: str) -> str:
    """Text of a field that is no free text: without line ends, angle brackets and spaces around."""
    return re.sub(r"[\s<>]+", " ", _CONTROL.sub(" ", text)).strip()


def _date(mail: Kept) -> str:
    minutes = mail.minutes if -1439 < mail.minutes < 1439 else 0
    zone = timezone(timedelta(minutes=minutes)) if minutes else UTC
    try:
        return format_datetime(mail.date.astimezone(zone))
    except (OverflowError, ValueError):
        return format_datetime(mail.date)


def _text_part(text: str) -> bytes:
    """Plain text in UTF-8; packed where lines are too long, or line ends would not survive (RFC 2045 §6.7, §6.8)."""
    data = text.encode("utf-8", "replace")
    plain = b"\r" not in data and b"\0" not in data and all(len(line) <= _LONGEST_LINE for line in data.split(b"\n"))
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
    if plain:
        return head + b"8bit\r\n\r\n" + data.replace(b"\n", b"\r\n")
    return head + b"base64\r\n\r\n" + _base64(data)


def _attachment(part: Attachment) -> bytes:
    kind = part.content_type.lower()
    # A whole mail or a multipart must not be packed (RFC 2046 §5.2.1), and must be kept byte for byte.
    if not _TYPE.fullmatch(kind) or kind.startswith(("message/", "multipart/")):
        kind = "application/octet-stream"
    charset = f'; charset="{part.charset}"' if _CHARSET.fullmatch(part.charset) and kind.startswith("text/") else ""
    name = _CONTROL.sub(" ", part.name) or "attachment"
    head = (
        f"Content-Type: {kind}{charset}\r\n"
        f"{COUNTER}: {part.counter}\r\n"
        f"Content-Disposition: attachment; {encode_parameter('filename', name)}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + _base64(part.data)


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")
