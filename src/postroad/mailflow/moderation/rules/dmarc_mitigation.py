"""Ask the author's domain whether receivers refuse changed mail (RFC 9989)."""

from postroad.foundation.authentication.dmarc import requested_of_receivers
from postroad.foundation.authentication.dns import NoReply
from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.nonmembers import is_listed
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "dmarc-mitigation"


def check(post: Post) -> Hit | None:
    """Hit only when the list wants such posts refused or dropped; to munge or wrap, the post is marked.

    When DNS gives no answer the post is marked too, to be on the safe side; instead of being refused it is held.
    """
    action = settings.dmarc_mitigate_action.of(post.mailing_list)
    always = settings.dmarc_mitigate_unconditionally.of(post.mailing_list) and not _refuses(action)
    if action == "no_mitigation" or always or not post.authors:
        return None
    author = post.authors[0]
    try:
        if not _must_not_be_changed(post, author):
            return None
    except NoReply as error:
        post.dmarc = True
        return Hit(f"It is not known whether receivers would refuse it. {error}", "hold") if _refuses(action) else None
    post.dmarc = True
    if not _refuses(action):
        return None
    reason = settings.dmarc_moderation_notice.of(post.mailing_list) or (
        f"The domain of {author} asks receivers to refuse mail that a list has changed. Ask "
        f"{post.mailing_list.address('owner')} for help."
    )
    return Hit(reason, action)


def _must_not_be_changed(post: Post, author: str) -> bool:
    if is_listed(post.mailing_list, author, settings.dmarc_addresses.of(post.mailing_list)):
        return True
    return requested_of_receivers(author.rpartition("@")[2]) != "none"


def _refuses(action: str) -> bool:
    return action in ("reject", "discard")
