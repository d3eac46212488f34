"""Hold what claims to be by somebody who may post, where the list asks for proof and there is none."""

from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.nonmembers import is_listed
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "unauthenticated-sender"


def check(post: Post) -> Hit | None:
    """Hit when the author's address would give rights, and neither we, DKIM nor a trusted MTA vouch for it.

    Whoever has no rights by address is left to `nonmember-moderation`.
    """
    if not settings.authenticate_senders.of(post.mailing_list) or post.envelope.from_usenet:
        return None
    if not _has_rights(post) or post.is_authentic:
        return None
    return Hit("The sender's address could not be authenticated")


def _has_rights(post: Post) -> bool:
    if post.member is not None:
        return True
    if any(record.moderation_action in ("accept", "defer") for record in post.nonmembers.values()):
        return True
    table = settings.accept_these_nonmembers.of(post.mailing_list)
    return any(is_listed(post.mailing_list, claimed, table, others=True) for claimed in post.claimed)
