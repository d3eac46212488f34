"""Sentences that are written down or raised in English, with values in them, and told to people in their language."""

import re
from collections.abc import Sequence
from pathlib import Path

from postroad.community.notices.templates import expand
from postroad.foundation.catalogs import translator

_VARIABLE = re.compile(r"\\\$([a-z_]+)")
LONGEST = 2000


class Sentences:
    """The sentences of a slice, with `$variables`; its catalogues have their translations."""

    def __init__(self, slice_folder: Path, texts: Sequence[str]) -> None:
        self._folder = slice_folder
        self._patterns = tuple(
            (text, re.compile(_VARIABLE.sub(r"(?P<\1>.+?)", re.escape(text)), re.DOTALL)) for text in texts
        )

    def told(self, text: str, language: str) -> str:
        """The text in a language, with its values where they belong; one that is none of the sentences as it is."""
        for sentence, pattern in self._patterns:
            match = pattern.fullmatch(text[:LONGEST])
            if match is not None:
                return expand(translator(self._folder, language)(sentence), match.groupdict())
        return text
