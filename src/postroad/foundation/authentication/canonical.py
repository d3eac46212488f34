"""Canonical forms of fields and bodies, over which signatures are made (RFC 6376 §3.4); each takes linear time."""

import re

_BREAKS = re.compile(rb"\r?\n")
_SPACES = re.compile(rb"[ \t]+")


def relaxed_field(raw: bytes) -> bytes:
    """A field with its name in lower case, on one line, its white space reduced to single spaces (§3.4.2)."""
    name, _, value = raw.partition(b":")
    unfolded = _SPACES.sub(b" ", _BREAKS.sub(b"", value))
    return b"%b:%b\r\n" % (name.strip(b" \t").lower(), unfolded.strip(b" "))


def relaxed_body(body: bytes) -> bytes:
    """A body in CRLF lines, white space reduced, none at line ends, no empty lines at the end (§3.4.4)."""
    return _ended(_SPACES.sub(b" ", _with_end(body)).replace(b" \r\n", b"\r\n"), empty=b"")


def simple_body(body: bytes) -> bytes:
    """A body in CRLF lines without the empty lines at its end (§3.4.3)."""
    return _ended(_with_end(body), empty=b"\r\n")


def _with_end(body: bytes) -> bytes:
    """SMTP ends every line, the last one too."""
    return body if body.endswith(b"\r\n") or not body else body + b"\r\n"


def _ended(body: bytes, empty: bytes) -> bytes:
    end = len(body)
    while end >= 2 and body[end - 2 : end] == b"\r\n":
        end -= 2
    return body[:end] + b"\r\n" if end else empty


def settled(body: bytes) -> int:
    """How much of the beginning of a relaxed body stays the same, whatever follows it.

    It ends behind the last line that has something on it: empty lines count only when others come after them.
    """
    last = body.rfind(b"\r\n")
    end = len(body[: max(0, last)].rstrip(b" \t\r\n"))
    return body.find(b"\r\n", end) + 2 if end else 0
