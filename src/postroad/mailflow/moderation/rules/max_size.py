"""Hold posts that are too large for the list."""

from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "max-size"


def check(post: Post) -> Hit | None:
    """Hit when the mail has more KB than the list allows; 0 allows any size."""
    most = settings.max_message_size.of(post.mailing_list)
    size = post.envelope.size / 1024
    return Hit(f"The message is larger than the {most} KB maximum size") if most and size > most else None
