"""Messages that Mailman 2.1 kept as pickles of Python 2's `email`, as the bytes they were."""

from typing import Any

from postroad.foundation.errors import BadInput
from postroad.upgrade.importing.pickles import Record, load_each

NAMES = ("Mailman.*", "email.*")
"""Packages whose classes stand in Mailman 2.1's pickles; each is a name here and nothing more."""
_DEEPEST = 100


def message_file(data: bytes) -> tuple[bytes, dict[str, Any]]:
    """Message and metadata of a held post's or queue's file; plain text is a message too.

    Raises:
        BadInput: it is damaged, or something else.
    """
    if data[:5].isascii() and data[:1].isalpha() and b":" in data[:80].split(b"\n")[0]:
        return data, {}
    pickles = load_each(data, NAMES)
    message, metadata = next(pickles), next(pickles, None)
    known = metadata if isinstance(metadata, dict) else {}
    named = {key.decode("latin-1") if isinstance(key, bytes) else str(key): value for key, value in known.items()}
    return (message if isinstance(message, bytes) else octets_of(message)), named


def octets_of(record: Any, depth: int = 0) -> bytes:
    """A pickled message as bytes: its fields in their order, then text or parts.

    Raises:
        BadInput: it is no message, or its parts lie too deep.
    """
    if not isinstance(record, Record) or depth > _DEEPEST or not isinstance(record.get("_headers"), list):
        raise BadInput(f"not a message but {getattr(record, 'name', type(record).__name__)}")
    lines = [
        _octets(entry[0]) + b": " + _octets(entry[1]).replace(b"\r\n", b"\n")
        for entry in record.get("_headers")
        if isinstance(entry, tuple | list) and len(entry) == 2
    ]
    return b"\n".join([*lines, b"", _body(record, depth)])


def _body(record: Record, depth: int) -> bytes:
    payload = record.get("_payload")
    if not isinstance(payload, list):
        return _octets(payload)
    parts = [octets_of(part, depth + 1) for part in payload]
    boundary = _boundary(record)
    if not boundary:
        return parts[0] if parts else b""  # message/rfc822 holds its one message as it is (RFC 2046 §5.2.1)
    around = [_octets(record.get("preamble")), *(b"--" + boundary + b"\n" + part for part in parts)]
    return (
        b"\n".join(around if around[0] else around[1:]) + b"\n--" + boundary + b"--\n" + _octets(record.get("epilogue"))
    )


def _boundary(record: Record) -> bytes:
    for name, value in (entry for entry in record.get("_headers") if len(entry) == 2):
        if _octets(name).lower() == b"content-type":
            after = _octets(value).replace(b"\n", b" ").partition(b"boundary=")[2].strip()
            return after[1:].partition(b'"')[0] if after.startswith(b'"') else after.partition(b";")[0].strip()
    return b""


def _octets(value: Any) -> bytes:
    """Text as it stood on the wire; an encoded header is a list of text and character set."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, Record):
        chunks = value.get("_chunks")
        return b" ".join(_octets(chunk[0]) for chunk in chunks if chunk) if isinstance(chunks, list) else b""
    return b""
