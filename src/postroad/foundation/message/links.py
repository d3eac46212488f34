"""Text with its web addresses as links, escaped for HTML."""

import re
from collections.abc import Callable
from html import escape

_URL = re.compile(r"\bhttps?://[^\s<>\"'\u0000-\u001f]{1,2000}")
_TRAILING = ".,;:!?)]}'"


def linked(text: str, escaped: Callable[[str], str] = escape) -> str:
    """Text with its web addresses as links; what stands between them is `escaped`."""
    if "://" not in text:
        return escaped(text)
    pieces, position = [], 0
    for match in _URL.finditer(text):
        url = match[0].rstrip(_TRAILING)
        pieces += [
            escaped(text[position : match.start()]),
            f'<a href="{escape(url)}" rel="nofollow noopener ugc">{escape(url)}</a>',
        ]
        position = match.start() + len(url)
    pieces.append(escaped(text[position:]))
    return "".join(pieces)
