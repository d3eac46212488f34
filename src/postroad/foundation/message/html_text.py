"""HTML as plain text that reads well: paragraphs, lists, quotes and where links lead."""

import re
import textwrap

from selectolax.lexbor import LexborHTMLParser, LexborNode

from postroad.foundation.message.html_depth import is_too_deep

LONGEST_HTML = 1_000_000
"""Characters of HTML that are looked at."""

_DROPPED = "script, style, head, template, noscript, title"
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "table", "tr", "ul",
})  # fmt: skip
"""Elements whose text stands in lines of its own."""
_SPACED = frozenset({"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})
_WIDTH = 76
_TAG = re.compile(r"<[^<>]*>?")


def html_to_text(html: str) -> str:
    """The text in LF lines of at most 76 characters, except where a word or `<pre>` is longer. Never fails."""
    html = html[:LONGEST_HTML]
    if is_too_deep(html):
        return _TAG.sub(" ", html)
    tree = LexborHTMLParser(html)
    for node in tree.css(_DROPPED):
        node.decompose()
    writer = _Writer()
    if tree.body is not None:
        _write(tree.body, writer)
    return writer.text()


class _Writer:
    """Collects words into paragraphs, and paragraphs into lines under their quote marks and bullets."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.words: list[str] = []
        self.quotes = 0
        self.preformatted = 0
        self.bullet = ""

    def add(self, text: str) -> None:
        self.words.append(text)

    def end_line(self) -> None:
        """The paragraph so far ends here."""
        text = "".join(self.words)
        self.words = []
        mark = "> " * min(self.quotes, 10)
        if self.preformatted:
            self.lines += [mark + line.rstrip() for line in text.strip("\n").split("\n")] if text.strip() else []
            return
        for line in re.sub(r"[ \t\r\f\v\u200b]*\n[ \t\r\f\v]*", "\n", text).split("\n"):
            words = " ".join(line.split())
            if words or "\n" in text:
                first = mark + self.bullet
                self.lines += textwrap.wrap(
                    words, _WIDTH, initial_indent=first, subsequent_indent=mark + " " * len(self.bullet),
                    break_long_words=False, break_on_hyphens=False,
                ) or [first.rstrip()]  # fmt: skip
                self.bullet = ""

    def blank(self) -> None:
        """An empty line, unless there is one."""
        if self.lines and self.lines[-1].strip(" >"):
            self.lines.append(("> " * min(self.quotes, 10)).rstrip())

    def text(self) -> str:
        self.end_line()
        text = "\n".join(line.rstrip() for line in self.lines).strip("\n")
        return re.sub(r"\n{3,}", "\n\n", text) + "\n" if text else ""


def _write(root: LexborNode, writer: _Writer) -> None:
    """Depth first without recursion: a mail may nest its elements as deep as it likes."""
    stack: list[tuple[LexborNode, bool]] = [(root, True)]
    while stack:
        node, opening = stack.pop()
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            writer.add(text if writer.preformatted else re.sub(r"\s+", " ", text))
        elif not opening:
            _close(tag, node, writer)
        elif not tag.startswith(("-", "!")):
            _open(tag, node, writer)
            stack.append((node, False))
            child = node.last_child
            while child is not None:
                stack.append((child, True))
                child = child.prev


def _open(tag: str, node: LexborNode, writer: _Writer) -> None:
    if tag in BLOCKS:
        writer.end_line()
        if tag in _SPACED:
            writer.blank()
    if tag == "blockquote":
        writer.quotes += 1
    elif tag == "pre":
        writer.preformatted += 1
    elif tag == "li":
        writer.bullet = "* "
    elif tag == "br":
        writer.add("\n")
    elif tag == "hr":
        writer.lines.append("-" * 40)
    elif tag in ("td", "th") and writer.words:
        writer.add("  ")
    elif tag == "img" and node.attributes.get("alt"):
        writer.add(f"[{node.attributes['alt']}]")


def _close(tag: str, node: LexborNode, writer: _Writer) -> None:
    if tag == "a":
        target = (node.attributes.get("href") or "").strip()
        if target.startswith(("http://", "https://", "mailto:")):
            shown = node.text(deep=True).strip()
            if shown and target.removeprefix("mailto:").rstrip("/") not in (shown, shown.rstrip("/")):
                writer.add(f" <{target[:2000]}>")
    if tag in BLOCKS:
        writer.end_line()
    if tag == "blockquote":
        while writer.lines and not writer.lines[-1].strip("> "):
            writer.lines.pop()
        writer.quotes -= 1
    elif tag == "pre":
        writer.preformatted -= 1
    if tag in _SPACED:
        writer.blank()
