"""Every fixed word of a digest is there in each language that is delivered complete."""

from pathlib import Path

import pytest

from postroad.foundation.catalogs import compiled, entries
from postroad.mailflow.digests import words

LOCALE = Path(words.__file__).parent / "locale"
WORDS = {value for name, value in vars(words).items() if name.isupper() and isinstance(value, str)}


@pytest.mark.parametrize("language", ["ar", "de", "es", "fr", "ja"])
def test_no_word_is_missing_and_every_place_is_kept(language):
    source = (LOCALE / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    found = entries(source)
    assert set(found) - {""} == WORDS
    for english, translation in found.items():
        places = {
            "title": "T",
            "name": "N",
            "type": "Y",
            "size": "S",
            "subject": "J",
            "url": "U",
            "count": 2,
            "number": 1,
        }
        if english:
            used = {key for key in places if f"{{{key}}}" in english}
            assert used == {key for key in places if f"{{{key}}}" in translation}
            assert translation.format(**places)
    compiled_file = LOCALE / language / "LC_MESSAGES" / "django.mo"
    assert compiled_file.read_bytes() == compiled(source), "run python -m postroad.foundation.catalogs"
