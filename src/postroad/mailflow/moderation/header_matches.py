"""The site's header checks, then the list's, in order; the first that matches decides (facts: mail-flow §8)."""

import time
from collections.abc import Iterator

from postroad.community.lists.queries import header_matches_of_mail
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput
from postroad.foundation.patterns import compile_pattern, found
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "header-match"

MOST_SECONDS = 0.5
"""Of CPU time, for all checks of one mail; one that takes longer was built to, and is held.

Not of the clock's time: on a machine that is busy no mail is to blame for how late it is.
"""


def check(post: Post) -> Hit | None:
    """Hit with the action of the first check that finds its pattern; `defer` leaves the post to the other rules."""
    deadline = time.thread_time() + MOST_SECONDS
    for rule, header, pattern, action in _checks(post):
        for value in post.everywhere(header):
            if time.thread_time() > deadline:
                return Hit("The header checks of this message took too long", "hold", f"{name}-too-slow")
            if _matches(pattern, value):
                return Hit(f'Header "{header}" matched the rule "{pattern}"', action or current().mail.jump_chain, rule)
    return None


def _checks(post: Post) -> Iterator[tuple[str, str, str, str]]:
    """Rule name, field, pattern and action of each check; an empty action asks the site's default."""
    for number, line in enumerate(current().mail.header_checks):
        header, _, pattern = line.partition(":")
        yield f"{name}-config-{number}", header.strip(), pattern.strip(), ""
    for match in header_matches_of_mail(post.mailing_list):
        if match.action != "defer":
            rule = f"{name}-{post.mailing_list.list_id}-{match.position}"
            yield rule, match.header, match.pattern, match.action or ""


def _matches(pattern: str, value: str) -> bool:
    try:
        return found(compile_pattern(pattern), value)
    except BadInput:
        return False  # Seen in practice: patterns an older system took; they match nothing.
