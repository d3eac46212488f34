"""Drop mail of banned addresses."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "banned-address"


def check(post: Post) -> Hit | None:
    """Hit when any sender is banned from the list or the site."""
    return Hit(f"Message sender {post.banned} is banned from this list") if post.banned else None
