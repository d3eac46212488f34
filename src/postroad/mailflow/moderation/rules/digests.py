"""Hold answers to a whole digest: the subject says nothing and the text is all of it."""

import re

from postroad.community.notices.templates import expand, standard_values, text
from postroad.foundation.configuration import current
from postroad.mailflow.moderation.post import LONGEST_TEXT, Post
from postroad.mailflow.moderation.verdict import Hit

name = "digests"

_SUBJECT = re.compile(r" Digest, Vol \d+, Issue \d+\s*$", re.IGNORECASE)


def check(post: Post) -> Hit | None:
    """Hit when the subject is a digest's, or the text quotes the masthead of the list's digests."""
    if not current().mail.hold_digest:
        return None
    if _SUBJECT.search(post.subject):
        return Hit("Message has a digest subject")
    return Hit("Message quotes digest boilerplate") if _quotes_masthead(post) else None


def _quotes_masthead(post: Post) -> bool:
    masthead = expand(text("list:member:digest:masthead", post.mailing_list), standard_values(post.mailing_list))
    wanted = {line.strip() for line in masthead.splitlines() if line.strip()}
    lines = (line for part in post.text_parts for line in part.text(post.raw)[:LONGEST_TEXT].splitlines())
    quoted = {line.lstrip("> \t").rstrip() for line in lines}
    return len(wanted & quoted) >= current().mail.masthead_threshold
