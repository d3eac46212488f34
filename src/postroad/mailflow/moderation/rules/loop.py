"""Drop mail that this list sent already: its own posting address stands in List-Post."""

from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "loop"


def check(post: Post) -> Hit | None:
    """Hit when List-Post names this list, bare or as mailto (RFC 2369 §3.4), or when its List-Id is ours."""
    posting = post.mailing_list.fqdn_listname
    values = {value.strip().lower().strip("<>").removeprefix("mailto:") for value in post.headers.get_all("list-post")}
    ours = f"<{post.mailing_list.list_id}>"
    if posting in values or any(ours in value.lower() for value in post.headers.get_all("list-id")):
        return Hit("Message has already been posted to this list")
    return None
