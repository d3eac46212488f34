"""Hold posts to too many addresses at once."""

from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "max-recipients"


def check(post: Post) -> Hit | None:
    """Hit when To and Cc hold as many addresses as the list allows, or more; 0 allows any number."""
    most = settings.max_num_recipients.of(post.mailing_list)
    count = len(post.addresses("to", "cc")) if most else 0
    return Hit(f"Message has {count} recipients, {most} are too many") if most and count >= most else None
