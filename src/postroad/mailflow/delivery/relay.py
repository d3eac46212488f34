"""The plain values of a delivery: the relay, one copy for it, and what became of each recipient.

`pool.py` and `client.py` speak to the relay with them; the worker makes copies and reads outcomes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Kind = Literal["delivered", "temporary", "permanent"]
Stage = Literal["local", "connection", "mail", "rcpt", "content"]

LOST = 444
"""Code of an outcome for which the relay gave no reply: connection lost, time over, reply not understood."""


@dataclass(frozen=True, slots=True)
class Relay:
    """The server that takes our mail, and how long we wait for it (seconds; RFC 5321 §4.5.3.2)."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    security: Literal["none", "starttls", "tls"] = "none"
    hostname: str = "localhost"
    """What we call ourselves in EHLO."""
    connect_seconds: float = 30
    """For the TCP connection and, each on its own, a TLS handshake."""
    reply_seconds: float = 300
    """For the greeting and for the reply to a command."""
    data_seconds: float = 600
    """For the reply to a message, from the last sign that its bytes are being taken."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the relay advertised and we make use of."""

    pipelining: bool = False
    size: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    starttls: bool = False
    auth: frozenset[str] = frozenset()


EVERYTHING = Features(pipelining=True, size=True, eight_bit=True, smtputf8=True)
"""A relay that takes a mail as it is."""


class Copy(msgspec.Struct, frozen=True):
    """One SMTP transaction: `data` is the message in CRLF lines, not dot-stuffed, or what makes it just in time.

    It is made for the relay's features: one without 8BITMIME gets it encoded, and signed as it is encoded.
    """

    key: int
    sender: str
    recipients: tuple[str, ...]
    data: bytes | Callable[[Features], bytes]

    def content(self, features: Features) -> bytes:
        """The message, for a relay of these features."""
        return self.data if isinstance(self.data, bytes) else self.data(features)


class Outcome(msgspec.Struct, frozen=True):
    """What became of recipient number `recipient_index` of the copy `key`.

    `in_doubt`: the message was on its way and no reply came; trying again may give one extra copy.
    `stage` tells whose refusal it is: only "rcpt" speaks of this recipient alone.
    """

    key: int
    recipient_index: int
    code: int
    text: str
    kind: Kind
    in_doubt: bool
    stage: Stage = "content"


def kind_of(code: int) -> Kind:
    """Sort a reply code; 552 is temporary, since old relays mean 452 by it (RFC 5321 §4.5.3.1.10)."""
    if code < 300:
        return "delivered"
    return "permanent" if code >= 500 and code != 552 else "temporary"


def readable(text: bytes) -> str:
    """Give the text of a reply as one printable line of at most 1000 characters; a relay may send anything."""
    line = text[:1000].decode("utf-8", "replace")
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else " " for letter in line)
