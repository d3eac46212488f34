"""Tokens."""

from postroad.foundation.rest.callers import Caller


def caller_of(token: str) -> Caller | None:
    """None."""
    return None
