"""An HTML text of a mail with nothing in it that runs, loads, tracks or dresses up as this site."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

import nh3

from postroad.foundation.message.html_depth import is_too_deep
from postroad.mailflow.archive.content import html_to_text
from postroad.mailflow.archive.plain import hidden_address, text_to_html

_TAGS = {
    "a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small",
    "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"dir", "lang"}, "a": {"href", "title"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}  # fmt: skip
_TAG = re.compile(r"(<[^>]*>)")
_SPAN = re.compile("[1-4]?[0-9]")
"""Columns or rows that one cell may cover: a browser would lay out thousands of them."""


def clean_html(html: str, images: Mapping[str, str], *, obscure: bool) -> str:
    """HTML of a mail as a page may hold it.

    `images` maps Content-IDs of the mail's own images to addresses on this site (RFC 2392); every other image is
    shown as its alternative text, since loading it would tell the sender who reads. `obscure` hides mail addresses.
    A text that lies too deep in itself is shown as its words.
    """
    if is_too_deep(html):
        return text_to_html(html_to_text(html), obscure=obscure)

    def kept(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            return images.get(unquote(value[4:])) if value[:4].lower() == "cid:" else None
        if name in ("colspan", "rowspan"):
            return value if _SPAN.fullmatch(value) else None
        if name == "href" and obscure and value.lstrip()[:7].lower() == "mailto:":
            return None
        return value

    cleaned = nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, attribute_filter=kept, url_schemes={"http", "https", "mailto", "cid"},
        link_rel="nofollow noopener noreferrer ugc",
        clean_content_tags={"script", "style", "template", "title", "svg", "math"},
    )  # fmt: skip
    return _hide(cleaned) if obscure else cleaned


def _hide(html: str) -> str:
    return "".join(piece if number % 2 else hidden_address(piece) for number, piece in enumerate(_TAG.split(html)))
