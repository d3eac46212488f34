"""Text with its web addresses as links, escaped for HTML."""

import re

from django.utils.html import escape

_URL = re.compile(r"\bhttps?://[^\s<>\"'\u0000-\u001f]{1,2000}")
_TRAILING = ".,;:!?)]}'"


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
