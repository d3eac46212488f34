"""What is in a mail: its parts, and the words of them as plain text."""

import re

from selectolax.lexbor import LexborHTMLParser

from postroad.foundation.message.html_depth import is_too_deep
from postroad.foundation.message.html_text import BLOCKS
from postroad.foundation.message.mime import MimeTooComplex, Part, walk

LONGEST_TEXT = 300_000
"""Characters of a text that are shown and indexed; the raw mail has all of them."""

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ASCII_CONTROLS = bytes(code for code in range(128) if _UNREADABLE.match(chr(code)))
_TAG = re.compile(r"<[^<>]*>?")
_LINES = ", ".join(sorted((BLOCKS - {"body"}) | {"br"}))
_CELLS = "td, th"


def parts_of(raw: bytes) -> list[Part]:
    """Every part without parts of its own, in order; none of a mail too complex to walk."""
    try:
        return [part for part in walk(raw).walk() if not part.children]
    except MimeTooComplex:
        return []


def is_text(part: Part) -> bool:
    """Whether a part is to be read in the page, and not saved as a file."""
    return part.content_type in ("text/plain", "text/html") and part.disposition != "attachment" and not part.filename


def text_of(part: Part, raw: bytes) -> str:
    """A part's text, cut at a length a page can show, without control characters."""
    text = part.text(raw)[:LONGEST_TEXT]
    if text.isascii():  # Most are, and the expression takes three times as long.
        return text.encode("ascii").translate(None, _ASCII_CONTROLS).decode("ascii")
    return _UNREADABLE.sub("", text)


def shown_texts(parts: list[Part], raw: bytes) -> list[tuple[Part, str]]:
    """The texts to be read: the plain ones, or the HTML ones when there is no plain text (RFC 2046 §5.1.4)."""
    texts = [part for part in parts if is_text(part)]
    plain = [(part, text_of(part, raw)) for part in texts if part.content_type == "text/plain"]
    plain = [(part, text) for part, text in plain if text.strip()]
    return plain or [(part, text_of(part, raw)) for part in texts if part.content_type == "text/html"]


def plain_text(raw: bytes, parts: list[Part] | None = None) -> str:
    """The text of a mail, for the index and previews: plain parts, else HTML without its tags."""
    texts = shown_texts(parts_of(raw) if parts is None else parts, raw)
    return "\n".join(text if part.content_type == "text/plain" else html_to_text(text) for part, text in texts)


def html_to_text(html: str) -> str:
    """The words of an HTML text; blocks are lines of their own, cells of a table words."""
    if is_too_deep(html):
        return _TAG.sub(" ", html)
    tree = LexborHTMLParser(html)
    if tree.body is None:
        return ""
    for node in tree.css("script, style, head, template, title"):
        node.decompose()
    for node in tree.css(_LINES):
        node.insert_before("\n")
        node.insert_after("\n")
    for node in tree.css(_CELLS):
        node.insert_after(" ")
    lines = (" ".join(line.split()) for line in tree.body.text().split("\n"))
    return "\n".join(line for line in lines if line)
