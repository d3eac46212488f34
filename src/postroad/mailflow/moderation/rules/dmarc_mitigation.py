"""Ask the author's domain whether receivers refuse changed mail (RFC 7489 §6.6.3)."""

from collections.abc import Sequence

from postroad.foundation.patterns import compile_pattern, matches
from postroad.mailflow.moderation import dns, settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "dmarc-mitigation"


def check(post: Post) -> Hit | None:
    """Hit only when the list wants such posts refused or dropped; to munge or wrap, the post is marked."""
    action = settings.dmarc_mitigate_action.of(post.mailing_list)
    authors = post.addresses("from")
    if action == "no_mitigation" or not authors:
        return None
    author = authors[0]
    named = _named(author, settings.dmarc_addresses.of(post.mailing_list))
    if not named and not dns.asks_to_refuse(author.rpartition("@")[2]):
        return None
    post.dmarc = True
    if action not in ("reject", "discard"):
        return None
    reason = settings.dmarc_moderation_notice.of(post.mailing_list) or (
        f"The domain of {author} asks receivers to refuse mail that a list has changed. Ask "
        f"{post.mailing_list.address('owner')} for help."
    )
    return Hit(reason, action)


def _named(author: str, entries: Sequence[str]) -> bool:
    for entry in entries:
        if entry.startswith("^"):
            if matches(compile_pattern(entry), author):
                return True
        elif entry.lower() == author:
            return True
    return False
