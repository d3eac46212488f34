"""The list's header and footer texts, to be put around the post when its copies are compiled."""

from postroad.community.notices.templates import expand, standard_values, text
from postroad.mailflow.pipeline.draft import Draft

name = "decorate"

TEXTS = ("list:member:regular:header", "list:member:regular:footer")


def apply(draft: Draft) -> None:
    """Fill what is the same for everybody; personal variables stay for the copies."""
    links = {f"{name.replace('-', '_')}_url": link for name, link in draft.permalinks.items()}
    own = {"hyperkitty_url": draft.permalink, "archive_url": draft.permalink}
    values = {**standard_values(draft.mailing_list), **links, **own}
    header, footer = (expand(text(name, draft.mailing_list), values) for name in TEXTS)
    draft.header_text, draft.footer_text = header, footer
