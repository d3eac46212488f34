"""What comes out of a mailbox: mails with their place in it, and pieces in which no mail could be found."""

from dataclasses import dataclass
from typing import Literal

Format = Literal["mbox", "mboxrd", "mboxcl", "mboxcl2", "mmdf", "maildir"]
"""`mbox` is mboxo, what Mailman 2 wrote: `From ` at the start of a line stands there as `>From `."""

FORMATS: tuple[Format, ...] = ("mbox", "mboxrd", "mboxcl", "mboxcl2", "mmdf", "maildir")

LARGEST = 100_000_000
"""Bytes of one mail that are kept; what is larger was hardly ever a mail."""


@dataclass(frozen=True, slots=True)
class Found:
    """A mail in a mailbox."""

    at: int
    """Where it begins, in bytes (in a Maildir: its number); reading can begin anew here."""
    end: int
    """Where it ends."""
    raw: bytes
    """The mail itself, without separator and without the format's own quoting."""
    separator: bytes
    """The line before it, which names envelope sender and time of arrival; empty where the format has none."""
    number: int
    """How many lines before it begin with `From `, which is the number pipermail gave it."""
    inner: int = 0
    """How many lines in it do: pipermail made a page of each, as if it were a mail."""
    name: str = ""
    """The file, in a Maildir."""


@dataclass(frozen=True, slots=True)
class Noise:
    """A piece of a mailbox in which no mail was found."""

    at: int
    end: int
    why: str
