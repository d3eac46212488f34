"""What a check found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about the site. `bad` is to be mended and decides the exit code; a `note` is good to know."""

    state: State
    what: str
    remedy: str = ""


def ok(what: str) -> Finding:
    """It is as it should be."""
    return Finding("ok", what)


def note(what: str, remedy: str = "") -> Finding:
    """It may be meant so."""
    return Finding("note", what, remedy)


def bad(what: str, remedy: str) -> Finding:
    """It is to be mended, and so."""
    return Finding("bad", what, remedy)
