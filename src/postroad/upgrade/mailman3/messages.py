"""Messages that Mailman keeps as pickles of its own classes, as the bytes they were (facts: schema §6).

The pickle is read without running it; what it holds is put into a message of Python's `email`, which writes it down
as Mailman would have.
"""

from collections.abc import Mapping
from email.charset import Charset
from email.errors import MessageError
from email.header import Header
from email.message import Message
from typing import Any

from postroad.foundation.errors import BadInput
from postroad.upgrade.importing.pickles import Record, load, load_each
from postroad.upgrade.mailman3.values import text

NAMES = (
    "mailman.*", "email.*", "sqlalchemy.*", "builtins.getattr", "zope.*", "enum.*", "uuid.UUID",
    "collections.deque", "weakref.*",
)  # fmt: skip
"""Packages whose classes stand in such pickles; each is a name here and nothing more."""

_DEEPEST = 100
_MISSING = object()
_CHARSET = ("input_charset", "header_encoding", "body_encoding", "output_charset", "input_codec", "output_codec")


def message_of(data: bytes) -> bytes:
    """The bytes of a message store's file.

    Raises:
        BadInput: it is damaged, or no message.
    """
    return octets_of(load(data, NAMES))


def queue_file(data: bytes) -> tuple[bytes, dict[str, Any]]:
    """Message and metadata of a queue's file: two pickles behind each other.

    Raises:
        BadInput: it is damaged, or something else.
    """
    pickles = load_each(data, NAMES)
    message, metadata = next(pickles), next(pickles, None)
    if not isinstance(metadata, dict):
        raise BadInput("no metadata stands behind the message")
    known = {text(key): value for key, value in metadata.items()}
    if isinstance(message, str | bytes):
        raw = message.encode("utf-8", "surrogateescape") if isinstance(message, str) else message
        return raw, known
    return octets_of(message), known


def octets_of(record: Any) -> bytes:
    """A pickled message as the bytes it was.

    Raises:
        BadInput: it cannot be written down.
    """
    message = _message(record, 0)
    try:
        return message.as_bytes(unixfrom=False)
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, KeyError, IndexError) as error:
        raise BadInput(f"a message that cannot be written down: {type(error).__name__}: {error}") from None


def _message(record: Any, depth: int) -> Message:
    if not isinstance(record, Record) or depth > _DEEPEST:
        raise BadInput(f"not a message but {getattr(record, 'name', type(record).__name__)}")
    made = Message()
    headers = record.get("_headers")
    for entry in headers if isinstance(headers, list) else []:
        if isinstance(entry, tuple | list) and len(entry) == 2:
            made._headers.append((text_or_escapes(entry[0]), _value(entry[1])))  # type: ignore[attr-defined]
    payload = record.get("_payload")
    if isinstance(payload, list):
        made._payload = [_message(part, depth + 1) for part in payload]  # type: ignore[attr-defined]
    else:
        made._payload = payload  # type: ignore[attr-defined]
    for name in ("preamble", "epilogue"):
        value = record.get(name)
        setattr(made, name, value if isinstance(value, str) else None)
    charset = record.get("_charset")
    if isinstance(charset, Record):
        made._charset = _charset(charset)  # type: ignore[attr-defined]
    default = record.get("_default_type")
    made._default_type = default if isinstance(default, str) else "text/plain"  # type: ignore[attr-defined]
    return made


def text_or_escapes(value: Any) -> str:
    """Header names are text; whatever else stands there is made so."""
    return value if isinstance(value, str) else text(value)


def _value(value: Any) -> Any:
    """A header's value: text, or the `Header` somebody made of it."""
    if not isinstance(value, Record) or not value.name.endswith(".Header"):
        return value if isinstance(value, str) else text(value)
    header = Header()
    chunks = value.get("_chunks")
    header._chunks = [  # type: ignore[attr-defined]
        (string, _charset(charset)) for string, charset in (chunks if isinstance(chunks, list) else [])
    ]
    for name in ("_continuation_ws", "_maxlinelen", "_headerlen"):
        if value.get(name) is not None:
            setattr(header, name, value.get(name))
    return header


def _charset(record: Any) -> Charset:
    """A character set as it was used: its name, and how header and body are encoded."""
    if not isinstance(record, Record):
        return Charset("us-ascii")
    made = Charset("us-ascii")
    for name in _CHARSET:
        value = record.get(name, _MISSING)
        if value is not _MISSING:
            setattr(made, name, value)
    return made


def list_id_in(metadata: Mapping[str, Any]) -> str:
    """The list a queue's metadata names; the archiver's spool keeps the whole list object instead."""
    named = metadata.get("listid")
    if isinstance(named, str):
        return named
    mailing_list = metadata.get("mlist")
    return text(mailing_list.get("_list_id") or mailing_list.get("list_id")) if isinstance(mailing_list, Record) else ""
