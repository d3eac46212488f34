"""Hold mail that is built to hurt: more parts, or deeper, or more header, than anybody means to send."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "too-complex"


def check(post: Post) -> Hit | None:
    """Hit when the parts cannot be walked within limits, or the header is larger than is looked at."""
    if post.headers.body_offset >= 1_000_000:
        return Hit("The message has an enormous header")
    return Hit("The message has too many parts") if post.root is None else None
