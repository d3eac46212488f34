"""Why a post was judged as it was: the rules' sentences, and how to tell them in another language.

Reasons are kept and shown over REST in English, as Mailman does; only mail to people translates them.
"""

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from postroad.community.notices.templates import expand
from postroad.foundation.catalogs import translator

_SLICE = Path(__file__).parent
_VARIABLE = re.compile(r"\\\$([a-z]+)")
LONGEST = 2000

REASONS = (
    "Message has no subject",
    "The sender's address could not be authenticated",
    "Message has a digest subject",
    "Message quotes digest boilerplate",
    "It is not known whether receivers would refuse it. $error",
    "The domain of $author asks receivers to refuse mail that a list has changed. Ask $owner for help.",
    "Message has $count recipients, $most are too many",
    "Message sender $sender is banned from this list",
    "Message contains administrivia",
    "Emergency moderation is in effect for this list",
    "Message has already been posted to this list",
    "The message is larger than the $most KB maximum size",
    "Post to a moderated newsgroup gateway",
    "The message is not from a list member",
    "The message has no valid senders",
    'Header "$header" matched a header rule',
    'Header "$header" matched the rule "$pattern"',
    "The header checks of this message took too long",
    "Message has implicit destination",
    "The message has an enormous header",
    "The message passed more than $most servers",
    "The message has too many parts",
    "The message carried the moderators' password",
    "The first posts of a member are moderated",
    "The message comes from a moderated member",
    "Message is an automatic reply",
)
"""What the rules in `rules/` say; a test finds a sentence that is not here."""


def told(reasons: Sequence[str], language: str) -> str:
    """The reasons in one line, in a language; an owner's own words stay as they are."""
    translate = translator(_SLICE, language)
    return "; ".join(_told(reason, translate) for reason in reasons)


def _told(reason: str, translate: Callable[[str], str]) -> str:
    for sentence, pattern in _patterns():
        match = pattern.fullmatch(reason[:LONGEST])
        if match is not None:
            return expand(translate(sentence), match.groupdict())
    return reason


@functools.cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each sentence with an expression that finds its values again."""
    return tuple((s, re.compile(_VARIABLE.sub(r"(?P<\1>.+?)", re.escape(s)), re.DOTALL)) for s in REASONS)
