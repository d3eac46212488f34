"""Sums up: some rule before this one applied."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "any"


def check(post: Post) -> Hit | None:
    """Hit when any rule hit before; their reasons are the reason."""
    return Hit() if post.hits else None
