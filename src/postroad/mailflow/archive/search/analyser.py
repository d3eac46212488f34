"""Words as they are indexed and asked for, the same on both databases: folded, stemmed, CJK in pairs."""

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator

import Stemmer

VERSION = 5
"""Of the tokens a mail gives, and how they are kept; another one means a new index."""

LONGEST_WORD = 40
MOST_WORDS = 20_000
"""Words of one mail that are indexed; what is behind them is attachments pasted as text."""

_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0002ffff"
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_IS_CJK = re.compile(f"[{_CJK}]")


class _Stems(dict[str, str]):
    """Stems of words seen; mail repeats itself, so nearly every look-up is one of a dict."""

    def __init__(self) -> None:
        super().__init__()
        self._stem = Stemmer.Stemmer("english", 0).stemWord

    def __missing__(self, word: str) -> str:
        if len(self) > 50_000:
            self.clear()
        stem: str = self._stem(word) if word.isascii() and word.isalpha() else word
        self[word] = stem
        return stem


_stems = _Stems()


_MARKS = re.compile(
    "["
    + "".join(chr(c) for c in range(0x300, 0x10000) if unicodedata.combining(chr(c)) and not 0x3099 <= c <= 0x309A)
    + "]"
)
"""Combining marks, without the Japanese voicing marks: ハ and パ are different letters."""


def fold(text: str) -> str:
    """Compatibility forms, case and diacritics taken away: `Größe` and `GROSSE` become one word."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", folded)))


def tokens(text: str) -> Iterator[str]:
    """The words of a text in order; a run of CJK characters gives every pair of neighbours."""
    folded = fold(text)
    stems = _stems
    if folded.isascii():
        yield from _ascii_tokens(folded)
        return
    for number, word in enumerate(_WORD.findall(folded)):
        if number >= MOST_WORDS:
            return
        if word[0] >= "\u2e80" and _IS_CJK.match(word):
            yield from (word[i : i + 2] for i in range(max(1, len(word) - 1)))
        elif len(word) <= LONGEST_WORD:
            yield stems[word]


def _ascii_tokens(folded: str) -> list[str]:
    """The words most mails are made of, without a look at each letter."""
    stems = _stems
    return [stems[word] for word in _ASCII_WORD.findall(folded)[:MOST_WORDS] if len(word) <= LONGEST_WORD]


def those_that_give(wanted: Container[str], words: Iterable[str]) -> set[str]:
    """Those words of a text that give one of the tokens that are wanted."""
    stems = _stems
    return {
        word
        for word in words
        if (stems[word.lower()] in wanted if word.isascii() else any(token in wanted for token in tokens(word)))
    }


def joined_tokens(text: str) -> str:
    """The tokens of a text as the index takes them: with spaces between."""
    return " ".join(_ascii_tokens(text.lower()) if text.isascii() else tokens(text))
