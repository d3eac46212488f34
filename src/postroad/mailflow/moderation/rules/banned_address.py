"""Drop mail of banned addresses."""

from postroad.community.bans.queries import is_banned
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "banned-address"


def check(post: Post) -> Hit | None:
    """Hit when any sender is banned from the list or the site."""
    for sender in post.senders:
        if is_banned(sender, post.mailing_list):
            return Hit(f"Message sender {sender} is banned from this list")
    return None
