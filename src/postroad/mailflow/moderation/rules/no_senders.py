"""Drop mail that names nobody: there is no one to answer and no one to blame."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "no-senders"


def check(post: Post) -> Hit | None:
    """Hit when no sender address is valid."""
    return None if post.senders else Hit("The message has no valid senders")
