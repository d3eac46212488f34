"""What of a mail, and of a text, is the same in whichever form an old system and this one keep it; for `verify`."""

import email
import hashlib
import re
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any

from postroad.upgrade.importing.pickles import Record
from postroad.upgrade.verifying import Name

_NOT_A_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Lone surrogates that stand for no byte of a mail."""


def numbered(names: Iterable[Name]) -> Iterator[Name]:
    """Names of which some may be the same, each with which of the same it is."""
    seen: dict[Name, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield (*name, seen[name])


def words_of(text: str) -> str:
    """SHA-256 over a text without its white space."""
    return hashlib.sha256("".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(message: Any) -> str:
    """SHA-256 over fields and texts of a mail, given as bytes or as Python pickled it, without white space.

    What stands between the parts is known in a pickle by its boundary alone, so it does not count.
    """
    if isinstance(message, Record):
        pieces = _of_record(message)
    else:  # As Latin-1, in which every byte is a letter.
        pieces = _of_mail(email.message_from_string(message.decode("latin-1")))
    return hashlib.sha256(b"".join(b"".join(pieces).split())).hexdigest()


def _of_record(record: Record) -> Iterator[bytes]:
    for entry in record.get("_headers") or ():
        yield _octets(entry[0]) + b":" + _octets(entry[1])
    payload = record.get("_payload")
    for part in payload if isinstance(payload, list) else ():
        yield from _of_record(part)
    if not isinstance(payload, list):
        yield _octets(payload)


def _octets(value: Any) -> bytes:
    if isinstance(value, Record):
        return b" ".join(_octets(chunk[0]) for chunk in value.get("_chunks") or ())
    if value is None:
        return b""
    return value if isinstance(value, bytes) else _NOT_A_BYTE.sub("?", str(value)).encode("utf-8", "surrogateescape")


def _of_mail(mail: "Message[str, str]") -> Iterator[bytes]:
    for name, value in mail.raw_items():
        yield f"{name}:{value}".encode("latin-1")
    payload = mail.get_payload()
    for part in payload if isinstance(payload, list) else ():
        yield from _of_mail(part)  # type: ignore[arg-type]
    if isinstance(payload, str):
        yield payload.encode("latin-1")
