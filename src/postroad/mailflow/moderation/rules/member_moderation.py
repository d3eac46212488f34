"""Members are moderated as their membership says, else as the list says."""

from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.queries import good_posts
from postroad.mailflow.moderation.verdict import Hit

name = "member-moderation"


def check(post: Post) -> Hit | None:
    """Hit with the member's action; `defer` asks the other rules (facts: mail-flow §9)."""
    if post.member is None or post.banned:
        return None
    action = post.member.moderation_action or settings.default_member_action.of(post.mailing_list)
    if post.member.moderation_action is None and action in ("defer", "accept") and _is_new(post):
        post.moderation_action = "hold"
        return Hit("The first posts of a member are moderated", "hold")
    post.moderation_action = action
    if action == "defer":
        return None
    notice = settings.member_moderation_notice.of(post.mailing_list) if action == "reject" else ""
    return Hit(notice or "The message comes from a moderated member", action)


def _is_new(post: Post) -> bool:
    """Whether the list watches first posts, and the member has not enough good ones."""
    first = settings.moderate_first_posts.of(post.mailing_list)
    return bool(first) and post.member is not None and good_posts(post.member) < first
