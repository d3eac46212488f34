"""Whether HTML lies deeper in itself than anybody writes it: parsers take quadratic time for that, minutes a mail."""

import re
from collections import Counter

DEEPEST = 500
"""Elements that may be open at once."""
MOST_FOREIGN = 2000
"""Tags of a text with SVG or MathML in it, where other rules say what a tag opens."""

_NAME = re.compile(r"(/?)([a-zA-Z][^\s/>]{0,40})")
# Quotes count only behind an equals sign. Possessive: what does not end cannot be tried in other ways.
_ATTRIBUTES = re.compile(r"""(?:[^>=]|=\s*+"[^"]*+"|=\s*+'[^']*+'|=(?!\s*+["']))*+>""")
_COMMENT_END = re.compile("--!?>")
_UNCLOSED = frozenset({
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p",
    "param", "source", "tbody", "td", "th", "thead", "tr", "wbr",
})  # fmt: skip
_OF_TEXT = frozenset({"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"})
_LOWER = {ord(c): ord(c.lower()) for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_FOREIGN = re.compile("<(?:svg|math)", re.IGNORECASE)


def is_too_deep(html: str) -> bool:
    """Whether more than some `DEEPEST` elements are open at once. Takes linear time, whatever the text is."""
    if _FOREIGN.search(html):
        return html.count("<") > MOST_FOREIGN
    lower = html.translate(_LOWER)  # One character each; str.lower() may make two of one.
    open_now: Counter[str] = Counter()
    depth = 0
    position = html.find("<")
    while position >= 0:
        match = _NAME.match(html, position + 1)
        if match is None:
            position = html.find("<", _behind_comment(html, position))
            continue
        tag = _ATTRIBUTES.match(html, match.end())
        if tag is None:
            return False  # A tag that does not end swallows the rest.
        position, name = tag.end(), match[2].lower()
        if match[1]:
            if open_now[name]:
                open_now[name] -= 1
                depth -= 1
        elif name in _OF_TEXT:
            position = lower.find(f"</{name}", position)
        elif name not in _UNCLOSED:
            open_now[name] += 1
            depth += 1
            if depth > DEEPEST:
                return True
        position = html.find("<", position) if position >= 0 else -1
    return False


def _behind_comment(html: str, start: int) -> int:
    """Where a comment, a declaration, or a `<` that means nothing, is over."""
    if html.startswith("<!--", start):
        ending = _COMMENT_END.search(html, start + 2)
        return ending.end() if ending else len(html)
    if html.startswith(("<!", "<?", "</"), start):
        end = html.find(">", start)
        return end + 1 if end >= 0 else len(html)
    return start + 1
