"""Hold mail that is built to hurt: more parts, or deeper, or more header, or more hops than anybody means to send."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "too-complex"

MOST_HOPS = 100
"""Received fields; a mail with more runs in a circle (RFC 5321 §6.3)."""


def check(post: Post) -> Hit | None:
    """Hit when the parts cannot be walked within limits, the header is too large to look at, or the way too long."""
    if post.headers.excessive:
        return Hit("The message has an enormous header")
    if len(post.headers.get_all("received")) > MOST_HOPS:
        return Hit(f"The message passed more than {MOST_HOPS} servers")
    return Hit("The message has too many parts") if post.root is None else None
