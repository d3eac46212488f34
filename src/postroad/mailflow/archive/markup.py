"""A plain text that was written as Markdown, as HTML (CommonMark); whatever it holds is cleaned like an HTML mail."""

import functools

from markdown_it import MarkdownIt

from postroad.mailflow.archive.hypertext import clean_html
from postroad.mailflow.archive.plain import text_to_html

LONGEST_MARKUP = 40_000
"""Characters; a longer text is shown as it is."""
_SIGNATURE = "\n-- \n"
"""What stands above it would be a heading by Markdown's rules."""


@functools.cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def markdown_to_html(text: str, *, obscure: bool) -> str:
    """The text with its headings, lists, links and emphasis; its own HTML stays text, and pictures are not loaded."""
    if len(text) > LONGEST_MARKUP:
        return text_to_html(text, obscure=obscure)
    body, mark, signature = text.rpartition(_SIGNATURE)
    shown = clean_html(_parser().render(body if mark else text), {}, obscure=obscure)
    return shown + (text_to_html(f"-- \n{signature}", obscure=obscure) if mark else "")
