"""Ends a chain: every post is what this rule looks for."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "truth"


def check(post: Post) -> Hit | None:
    """Hit, always."""
    return Hit()
