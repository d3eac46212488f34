"""Strangers are moderated as their nonmember record, the list's four tables or its default say."""

from collections.abc import Sequence

from postroad.community.bans.queries import is_banned
from postroad.community.lists.queries import find_list
from postroad.community.subscriptions.queries import member_of
from postroad.foundation.patterns import compile_pattern, matches
from postroad.mailflow.moderation import settings
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
    if any(is_banned(sender, post.mailing_list) for sender in post.senders):
        return None
    if post.envelope.from_usenet or post.member is not None:
        return None
    for sender in post.senders:
        record = post.nonmembers.get(sender)
        if record is not None and record.moderation_action:
            return _hit(record.moderation_action)
        for action, table in _TABLES:
            if _listed(post, sender, table.of(post.mailing_list), others=action == "accept"):
                return None if action == "accept" else _hit(action)
    return _hit(settings.default_nonmember_action.of(post.mailing_list))


def _hit(action: str) -> Hit | None:
    return None if action == "defer" else Hit("The message is not from a list member", action)


def _listed(post: Post, sender: str, entries: Sequence[str], *, others: bool) -> bool:
    """Whether an entry is the sender, matches it, or (`@list`) is another list the sender is on."""
    for entry in entries:
        if entry.startswith("^"):
            if matches(compile_pattern(entry), sender):
                return True
        elif entry.startswith("@") and others:
            other = find_list(entry[1:])
            if other is not None and other.pk != post.mailing_list.pk and member_of(other, sender) is not None:
                return True
        elif entry.lower() == sender:
            return True
    return False
