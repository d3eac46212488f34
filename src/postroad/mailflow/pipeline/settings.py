"""What is taken out of posts, whether signatures survive, and how posts are sorted by topic."""

from collections.abc import Iterator

from postroad.community.lists import settings as lists
from postroad.community.lists.declare import Group
from postroad.community.lists.models import MailingList

_posts = Group("Posts")
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
posting_pipeline = lists.posting_pipeline

transparent = _posts.boolean(
    "transparent",
    False,
    "Change nothing that is signed",
    "Authors' DKIM signatures stay valid: no prefix, no header or footer text, no changed Reply-To.",
    exposed=False,
)

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
filter_report = _content.boolean(
    "filter_report", False, "Tell readers what was removed", "As a text below the post.", exposed=False
)
link_attachments_above = _content.integer(
    "link_attachments_above",
    0,
    "Link attachments larger than",
    "In kilobytes: readers get a link into the archive instead. 0: attachments always travel with the post.",
    exposed=False,
)
topics = _topics.strings("topics", "Topics", "Name, colon and pattern for Subject and Keywords.", exposed=False)
topics_enabled = _topics.boolean("topics_enabled", False, "Sort posts by topic", exposed=False)
topics_bodylines_limit = _topics.integer(
    "topics_bodylines_limit", 5, "Lines searched", "For a Subject or Keywords line in the text.", exposed=False
)

SETTINGS = (
    transparent, filter_content, filter_action, filter_types, pass_types, filter_extensions, pass_extensions,
    collapse_alternatives, convert_html_to_plaintext, filter_report, link_attachments_above, topics, topics_enabled,
    topics_bodylines_limit,
)  # fmt: skip


def topic_patterns(mailing_list: MailingList) -> Iterator[tuple[str, str]]:
    """Name and pattern of each topic; a name may stand on several lines."""
    for line in topics.of(mailing_list):
        name, colon, pattern = line.partition(":")
        if colon and name.strip() and pattern.strip():
            yield name.strip(), pattern.strip()
