"""Hold posts of a list that gates to a moderated newsgroup."""

from postroad.community.lists.register import all_settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "news-moderation"


def check(post: Post) -> Hit | None:
    """Hit when the newsgroup is moderated."""
    moderated = all_settings()["newsgroup_moderation"].of(post.mailing_list) == "moderated"
    return Hit("Post to a moderated newsgroup gateway") if moderated else None
