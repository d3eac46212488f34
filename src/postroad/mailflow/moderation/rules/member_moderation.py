"""Members are moderated as their membership says, else as the list says."""

from postroad.community.bans.queries import is_banned
from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "member-moderation"


def check(post: Post) -> Hit | None:
    """Hit with the member's action; `defer` asks the other rules (facts: mail-flow §9)."""
    member = post.member
    if member is None or any(is_banned(sender, post.mailing_list) for sender in post.senders):
        return None
    action = member.moderation_action or settings.default_member_action.of(post.mailing_list)
    return None if action == "defer" else Hit("The message comes from a moderated member", action)
