"""When a post was put into a digest that Mailman was collecting: its file does not say."""

from pathlib import Path

from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import date_of


def collected_at(raw: bytes, file: Path) -> float:
    """About when, in seconds since 1970: by the post's own date, but not after the last one was put there.

    Who left the digest after that gets it still, so `now` would be wrong.
    """
    last = file.stat().st_mtime
    date = date_of(Headers.parse(raw))
    return min(date.timestamp(), last) if date is not None else last
