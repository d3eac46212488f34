"""Words as they are indexed and asked for, the same on both databases: folded, stemmed, CJK in pairs."""

import functools
import re
import unicodedata
from collections.abc import Iterator

import Stemmer

VERSION = 1
"""Of the format of tokens; another one means a new index."""

LONGEST_WORD = 40
MOST_WORDS = 20_000
"""Words of one mail that are indexed; what is behind them is attachments pasted as text."""

_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0002ffff"
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")


@functools.cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def fold(text: str) -> str:
    """Compatibility forms, case and diacritics taken away: `Größe` and `GROSSE` become one word."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return folded
    split = unicodedata.normalize("NFD", folded)
    return unicodedata.normalize("NFC", "".join(c for c in split if not unicodedata.combining(c)))


def tokens(text: str) -> Iterator[str]:
    """The words of a text in order; a run of CJK characters gives every pair of neighbours."""
    stem = _stemmer().stemWord
    for number, match in enumerate(_WORD.finditer(fold(text))):
        word = match[0]
        if number >= MOST_WORDS:
            return
        if _IS_CJK.match(word):
            yield from (word[i : i + 2] for i in range(max(1, len(word) - 1)))
        elif len(word) <= LONGEST_WORD:
            yield stem(word) if word.isascii() and not word.isdigit() else word
