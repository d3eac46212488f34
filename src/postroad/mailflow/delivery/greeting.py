"""The start of an SMTP session as a dialogue without sockets: greeting, EHLO, STARTTLS, AUTH.

`client.py` carries the bytes. A dialogue yields what to send, is sent the replies, and returns the relay's features.
"""

import base64
from collections.abc import Generator

from postroad.foundation.errors import TryLater
from postroad.mailflow.delivery.relay import Features, Relay, readable
from postroad.mailflow.delivery.replies import Reply

UPGRADE = b""
"""Yielded in place of a command: start TLS now, then send anything."""

Dialogue = Generator[bytes, Reply, Features]


def greet(relay: Relay) -> Dialogue:
    """Lead the session to where mail can be sent.

    The first value yielded is sent only after the greeting was handed in, so the caller starts with `next()`.
    Raises TryLater, saying at which step the relay refused and in which words (RFC 5321 §3.1, RFC 3207, RFC 4954).
    """
    _expect((yield b""), 220, "on connecting")
    features = yield from _hello(relay)
    if relay.security == "starttls":
        if not features.starttls:
            raise TryLater("does not offer STARTTLS, which the configuration asks for; nothing was sent")
        _expect((yield b"STARTTLS\r\n"), 220, "to STARTTLS")
        yield UPGRADE
        features = yield from _hello(relay)
    if relay.user:
        yield from _authenticate(relay, features)
    return features


def _hello(relay: Relay) -> Dialogue:
    name = relay.hostname.encode("ascii", "replace")
    code, text = yield b"EHLO %b\r\n" % name
    if 500 <= code < 600:
        _expect((yield b"HELO %b\r\n" % name), 250, "to HELO")
        return Features()
    _expect((code, text), 250, "to EHLO")
    offered: dict[str, str] = {}
    for line in readable_lines(text)[1:]:
        # Seen in practice: "AUTH=PLAIN LOGIN" from before RFC 2554.
        word, _, rest = line.upper().replace("AUTH=", "AUTH ").partition(" ")
        offered[word] = f"{offered.get(word, '')} {rest}"
    return Features(
        pipelining="PIPELINING" in offered,
        size="SIZE" in offered,
        eight_bit="8BITMIME" in offered,
        smtputf8="SMTPUTF8" in offered,
        starttls="STARTTLS" in offered,
        auth=frozenset(offered.get("AUTH", "").split()),
    )


def readable_lines(text: bytes) -> list[str]:
    """Split the text of a reply into printable lines."""
    return [readable(line) for line in text.split(b"\n")]


def _authenticate(relay: Relay, features: Features) -> Generator[bytes, Reply, None]:
    user, password = relay.user.encode(), relay.password.encode()
    if "PLAIN" in features.auth:
        reply = yield b"AUTH PLAIN %b\r\n" % base64.b64encode(b"\0%b\0%b" % (user, password))
    elif "LOGIN" in features.auth:
        _expect((yield b"AUTH LOGIN\r\n"), 334, "to AUTH LOGIN")
        _expect((yield base64.b64encode(user) + b"\r\n"), 334, "to the user name")
        reply = yield base64.b64encode(password) + b"\r\n"
    else:
        offer = ", ".join(sorted(features.auth)) or "none"
        raise TryLater(f"offers no way to sign in that is known here (offered: {offer}; known: PLAIN, LOGIN)")
    _expect(reply, 235, "to AUTH")


def _expect(reply: Reply, wanted: int, step: str) -> None:
    code, text = reply
    if code != wanted:
        raise TryLater(f"answered {step}: {code} {readable(text)}")
