"""Hold posts without a subject."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "no-subject"


def check(post: Post) -> Hit | None:
    """Hit when the subject is missing or blank."""
    return None if post.subject.strip() else Hit("Message has no subject")
