"""What a client may ask of the listeners at most; every figure has an end that is told in a reply."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Octets, counts and seconds."""

    line: int = 2048
    """Octets of a command line (RFC 5321 §4.5.3.1.4 asks for 512; SMTPUTF8 and DSN parameters need more)."""
    data_line: int = 1_000_000
    """Octets of a line of mail. Seen in practice: HTML mail in one line; refused only far beyond any real one."""
    size: int = 33_554_432
    """Octets of a mail, told by SIZE (RFC 1870)."""
    gathered: int = 268_435_456
    """Octets of all mails that are coming in at the same time; what goes beyond is asked to come later."""
    recipients: int = 1000
    """Recipients of one transaction (RFC 5321 §4.5.3.1.8 asks for 100)."""
    errors: int = 20
    """Wrong commands before the connection is ended."""
    command_seconds: float = 300
    """How long a client may be silent (RFC 5321 §4.5.3.2.7)."""
    connections: int = 200
    """Clients at the same time."""
