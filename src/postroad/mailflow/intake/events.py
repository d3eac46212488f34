"""What the listeners and the session say to each other: replies, received mails, questions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply line: code, enhanced status (RFC 3463; empty for none) and text."""

    code: int
    enhanced: str
    text: str

    def line(self) -> bytes:
        """As sent: one line, whatever the text holds."""
        middle = f" {self.enhanced}" if self.enhanced else ""
        return f"{self.code}{middle} {' '.join(self.text.split())}\r\n".encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Transaction:
    """A received mail: its envelope and its octets with CRLF line ends."""

    mail_from: str
    recipients: tuple[str, ...]
    data: bytes
    smtputf8: bool = False
    peer: str = ""
    helo: str = ""
    signed_in: str = ""
    """Set by our own pages alone: the verified address of the author, who is signed in. No session sets it."""


@dataclass(frozen=True, slots=True)
class RecipientAsked:
    """May this recipient be? Answer with `Session.answer_recipient`."""

    address: str
    mail_from: str


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """Will you keep this mail? Answer with `Session.answer_message`."""

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class TlsRequested:
    """The reply to STARTTLS is out; begin TLS, then call `Session.tls_started`."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; send what is left and close."""


Event = RecipientAsked | MessageReceived | TlsRequested | Closed
