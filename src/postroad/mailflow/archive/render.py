"""A mail's content as safe HTML: text with links and quotes, HTML mail cleaned by an allow-list, attachments named."""

import re
from dataclasses import dataclass

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from postroad.foundation.message.mime import Part
from postroad.mailflow.archive.content import is_text, parts_of, shown_texts

_URL = re.compile(r"\bhttps?://[^\s<>\"'\u0000-\u001f]{1,2000}")
_TRAILING = ".,;:!?)]}'"
_ADDRESS = re.compile(r"([A-Za-z0-9._%+-]{1,64})@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)")

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part to be downloaded."""

    number: int
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Content:
    """What a page shows of a mail."""

    html: SafeString
    attachments: list[Attachment]


def content_of(raw: bytes, *, obscure: bool) -> Content:
    """A mail's text and attachments for a page; `obscure` hides mail addresses from harvesters."""
    parts = parts_of(raw)
    pieces = [_shown(part, text, obscure=obscure) for part, text in shown_texts(parts, raw)]
    attachments = [
        Attachment(number, part.filename or f"part {number}", part.content_type, part.end - part.body)
        for number, part in enumerate(parts)
        if not is_text(part)
    ]
    return Content(mark_safe("".join(pieces)), attachments)


def _shown(part: Part, text: str, *, obscure: bool) -> str:
    if part.content_type == "text/html":
        return f'<div class="html-mail">{clean_html(_hidden(text) if obscure else text)}</div>'
    return f'<div class="text-mail">{text_to_html(_hidden(text) if obscure else text)}</div>'


def _hidden(text: str) -> str:
    return _ADDRESS.sub(lambda match: f"{match[1]}(a)…", text)


def hidden_address(email: str) -> str:
    """An address as a stranger sees it."""
    return _hidden(email)


def clean_html(html: str) -> str:
    """HTML of a mail with nothing in it that runs, loads or tracks; links leave with no trace of the reader."""
    return nh3.clean(
        html, tags=_TAGS, url_schemes={"http", "https", "mailto"},
        attributes={"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
        link_rel="nofollow noopener noreferrer ugc",
        clean_content_tags={"script", "style", "template", "title"},
    )  # fmt: skip


def text_to_html(text: str) -> str:
    """Plain text as HTML: quotes nested and foldable, links live, the signature set apart."""
    pieces: list[str] = []
    for depth, lines in _blocks(text.split("\n")):
        body = linked("\n".join(lines).strip("\n"))
        if not body:
            continue
        if depth == 0:
            pieces.append(f"<p>{body}</p>")
        elif len(lines) > 6:
            pieces.append(
                f'<details class="quote q{min(depth, 5)}"><summary>Quoted text</summary><p>{body}</p></details>'
            )
        else:
            pieces.append(f'<blockquote class="quote q{min(depth, 5)}"><p>{body}</p></blockquote>')
    return "".join(pieces)


def _blocks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """Paragraphs of equal quote depth; a signature is a block of its own."""
    blocks: list[tuple[int, list[str]]] = []
    for line in lines:
        depth, rest = 0, line
        while rest.startswith(">"):
            depth, rest = depth + 1, rest[1:].removeprefix(" ")
        if not blocks or blocks[-1][0] != depth or (depth == 0 and not rest.strip()):
            blocks.append((depth, []))
        blocks[-1][1].append(rest)
    return blocks


def linked(text: str) -> str:
    """Escaped text with its web addresses as links and its line ends kept."""
    pieces, position = [], 0
    for match in _URL.finditer(text):
        url = match[0].rstrip(_TRAILING)
        pieces += [
            escape(text[position : match.start()]),
            f'<a href="{escape(url)}" rel="nofollow noopener ugc">{escape(url)}</a>',
        ]
        position = match.start() + len(url)
    pieces.append(escape(text[position:]))
    return "".join(pieces).replace("\n", "<br>\n")
