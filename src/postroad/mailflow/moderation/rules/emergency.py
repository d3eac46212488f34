"""Hold everything while the list is in an emergency."""

from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "emergency"


def check(post: Post) -> Hit | None:
    """Hit unless a moderator let it pass."""
    if settings.emergency.of(post.mailing_list) and not post.envelope.approved:
        return Hit("Emergency moderation is in effect for this list")
    return None
