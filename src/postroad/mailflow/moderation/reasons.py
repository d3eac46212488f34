"""Why a post was judged as it was: the rules' sentences, and how to tell them in another language.

Reasons are kept and shown over REST in English, as Mailman does; only mail to people translates them.
"""

from collections.abc import Sequence
from pathlib import Path

from postroad.community.notices.sentences import Sentences

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


_SENTENCES = Sentences(Path(__file__).parent, REASONS)


def told(reasons: Sequence[str], language: str) -> str:
    """The reasons in one line, in a language; an owner's own words stay as they are."""
    return "; ".join(_SENTENCES.told(reason, language) for reason in reasons)
