"""Hold posts that do not name the list: spam comes by blind copy."""

from postroad.community.lists.settings import acceptable_aliases
from postroad.foundation.message.addresses import identity, spellings
from postroad.foundation.patterns import compile_pattern, matches
from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "implicit-dest"


def check(post: Post) -> Hit | None:
    """Hit when neither the list nor an acceptable alias stands in To, Cc, Resent-To or Resent-Cc."""
    if not settings.require_explicit_destination.of(post.mailing_list) or post.envelope.from_usenet:
        return None
    named = post.addresses("to", "cc", "resent-to", "resent-cc")
    aliases = acceptable_aliases.of(post.mailing_list)
    plain = [post.mailing_list.fqdn_listname, *(alias for alias in aliases if not alias.startswith("^"))]
    if set(map(identity, plain)) & set(named):
        return None
    for alias in aliases:
        if alias.startswith("^") and any(
            matches(compile_pattern(alias), text) for address in named for text in spellings(address)
        ):
            return None
    return Hit("Message has implicit destination")
