"""Strangers are moderated as their nonmember record, the list's four tables or its default say."""

from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.nonmembers import is_listed
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "nonmember-moderation"

_TABLES = (
    ("accept", settings.accept_these_nonmembers),
    ("hold", settings.hold_these_nonmembers),
    ("reject", settings.reject_these_nonmembers),
    ("discard", settings.discard_these_nonmembers),
)


def check(post: Post) -> Hit | None:
    """Hit with the action of the first sender who has one (facts: mail-flow §9)."""
    if post.banned or post.envelope.from_usenet or post.member is not None:
        return None
    action = _action(post)
    post.moderation_action = action
    if action == "defer":
        return None
    notice = settings.nonmember_rejection_notice.of(post.mailing_list) if action == "reject" else ""
    return Hit(notice or "The message is not from a list member", action)


def _action(post: Post) -> str:
    """What is to be done; to be on the list's table of the accepted leaves the post to the other rules."""
    for sender in post.claimed:
        record = post.nonmembers.get(sender)
        if record is not None and record.moderation_action:
            return record.moderation_action
        for action, table in _TABLES:
            if is_listed(post.mailing_list, sender, table.of(post.mailing_list), others=action == "accept"):
                return "defer" if action == "accept" else action
    return settings.default_nonmember_action.of(post.mailing_list)
