"""What is taken out of posts, and how they are sorted by topic."""

from postroad.community.lists import settings as lists
from postroad.community.lists.declare import Group

_content = Group("Content")
_topics = Group("Topics")

# Declared for all stages, here so that the handlers find them where they look.
dmarc_mitigate_action = lists.dmarc_mitigate_action
dmarc_mitigate_unconditionally = lists.dmarc_mitigate_unconditionally
dmarc_wrapped_message_text = lists.dmarc_wrapped_message_text
digests_enabled = lists.digests_enabled
archive_policy = lists.archive_policy
gateway_to_news = lists.gateway_to_news
linked_newsgroup = lists.linked_newsgroup

filter_content = _content.boolean("filter_content", False, "Filter content", "Nothing below works while this is off.")
filter_action = _content.choice(
    "filter_action",
    ("hold", "reject", "discard", "accept", "defer", "forward", "preserve"),
    "discard",
    "When nothing is left of a post",
    "reject tells the author, forward sends it to the owners, preserve keeps it for the site's administrator.",
)
filter_types = _content.strings("filter_types", "Types to remove", "Such as image or application/zip, one per line.")
pass_types = _content.strings(
    "pass_types", "Types to keep", "If there are any, all others are removed; multipart must be among them."
)
filter_extensions = _content.strings("filter_extensions", "File names to remove", "Endings such as exe, without dot.")
pass_extensions = _content.strings(
    "pass_extensions", "File names to keep", "If there are any, attachments with other endings are removed."
)
collapse_alternatives = _content.boolean(
    "collapse_alternatives", True, "First alternative only", "Of a post sent as plain text and HTML, the plain text."
)
convert_html_to_plaintext = _content.boolean(
    "convert_html_to_plaintext", False, "HTML becomes plain text", "After all the other filters."
)
topics = _topics.strings("topics", "Topics", "Name, colon and pattern for Subject and Keywords.", exposed=False)
topics_enabled = _topics.boolean("topics_enabled", False, "Sort posts by topic", exposed=False)
topics_bodylines_limit = _topics.integer(
    "topics_bodylines_limit", 5, "Lines searched", "For a Subject or Keywords line in the text.", exposed=False
)

SETTINGS = (
    filter_content, filter_action, filter_types, pass_types, filter_extensions, pass_extensions,
    collapse_alternatives, convert_html_to_plaintext, topics, topics_enabled, topics_bodylines_limit,
)  # fmt: skip
