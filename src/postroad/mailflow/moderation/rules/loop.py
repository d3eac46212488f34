"""Drop mail that this list sent already, however it comes back."""

from postroad.foundation.queue.actions import times_done
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "loop"

MOST_PASSES = 2
"""A forwarder may lose every field of the list, and change the text; the Message-ID it keeps. Once more than the first
time may be the author's own trying again."""


def check(post: Post) -> Hit | None:
    """Hit when a field names this list, or when the mail has passed too often.

    List-Post bare or as mailto (RFC 2369 §3.4), List-Id (RFC 2919), and X-Loop: another list on the way puts its
    own List- fields in place of ours, but adds to that one. Other list managers write it too. Owners may be shown a
    post with all its fields, so of mail to them only the passes count: lists may have each other's owners for theirs.
    """
    if post.envelope.kind != "owner" and _names_this_list(post):
        return Hit("Message has already been posted to this list")
    if times_done(post.envelope, "moderation", "accepted") >= MOST_PASSES:
        return Hit(f"Message has passed this list {MOST_PASSES} times")
    return None


def _names_this_list(post: Post) -> bool:
    posting = post.mailing_list.fqdn_listname
    values = [value.strip().lower() for name in ("list-post", "x-loop") for value in post.headers.get_all(name)]
    named = any(value.strip("<>").removeprefix("mailto:") == posting for value in values)
    ours = f"<{post.mailing_list.list_id}>"
    return named or any(ours in value.lower() for value in post.headers.get_all("list-id"))
