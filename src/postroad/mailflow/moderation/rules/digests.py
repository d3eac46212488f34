"""Hold answers to a whole digest: the subject says nothing and the text is all of it."""

import re

from postroad.foundation.configuration import current
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "digests"

_SUBJECT = re.compile(r" Digest, Vol \d+, Issue \d+\s*$", re.IGNORECASE)


def check(post: Post) -> Hit | None:
    """Hit when the subject is a digest's."""
    if current().mail.hold_digest and _SUBJECT.search(post.subject):
        return Hit("Message has a digest subject")
    return None
