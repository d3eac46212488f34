"""Drop what a program answered to a post by itself: sent to the list, it would be answered by the next one."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "automatic-reply"

_YES = ("x-autoreply", "x-autorespond", "x-autoresponder")
"""Seen in practice: marks from before RFC 3834, whatever they say."""


def check(post: Post) -> Hit | None:
    """Hit for a vacation's or another program's answer (RFC 3834 §5); what a program posts of itself may pass."""
    headers = post.headers
    submitted = (headers.get("auto-submitted") or "").partition(";")[0].strip().lower()
    precedence = (headers.get("precedence") or "").strip().lower()
    if submitted.startswith("auto-replied") or precedence == "auto_reply" or any(mark in headers for mark in _YES):
        return Hit("Message is an automatic reply")
    return None
