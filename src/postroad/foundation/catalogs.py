"""Translations of texts: finds them at run time, and makes `.mo` files of the translators' `.po` files.

`python -m postroad.foundation.catalogs` compiles every catalogue of the package; a test finds those that are stale.
"""

import ast
import functools
import gettext
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_MAGIC = 0x950412DE


@functools.cache
def translator(slice_folder: Path, language: str) -> Callable[[str], str]:
    """The function that puts a slice's texts into a language; without a translation the English text stays.

    `pt_BR` may be served by `pt`. Empty texts stay empty.
    """
    languages = [language, language.partition("_")[0]]
    found = gettext.translation("django", slice_folder / "locale", languages=languages, fallback=True)
    return lambda text: found.gettext(text) if text else ""


def catalogues() -> list[Path]:
    """The `.po` file of every slice and language."""
    return sorted(_PACKAGE.rglob("locale/*/LC_MESSAGES/*.po"))


def entries(po: str) -> dict[str, str]:
    """Texts and their translations; the entry "" holds the header fields.

    Raises:
        ValueError: a line is none of a catalogue's.
    """
    found: dict[str, str] = {}
    for keyword, text in _strings(po):
        if keyword == "msgid":
            key = text
        elif keyword == "msgstr":
            found[key] = text
    return found


def _strings(po: str) -> Iterator[tuple[str, str]]:
    keyword, parts = "", list[str]()
    for number, line in enumerate(po.splitlines(), 1):
        line = line.strip()
        if line.startswith('"'):
            parts.append(_quoted(line, number))
            continue
        if keyword:
            yield keyword, "".join(parts)
            keyword, parts = "", []
        if line and not line.startswith("#"):
            keyword, _, rest = line.partition(" ")
            if keyword not in ("msgid", "msgstr"):
                raise ValueError(f"line {number}: neither msgid nor msgstr: {line}")
            parts.append(_quoted(rest, number))
    if keyword:
        yield keyword, "".join(parts)


def _quoted(text: str, number: int) -> str:
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        raise ValueError(f"line {number}: no text in quotes: {text}") from None


def compiled(po: str) -> bytes:
    """The catalogue as `gettext` reads it: GNU's `.mo`, sorted, without a hash table."""
    pairs = sorted((key.encode(), value.encode()) for key, value in entries(po).items() if value)
    offset = 28 + 16 * len(pairs)
    tables: list[list[int]] = [[], []]
    blob = b""
    for column in (0, 1):
        for pair in pairs:
            tables[column] += [len(pair[column]), offset + len(blob)]
            blob += pair[column] + b"\0"
    header = struct.pack("<7I", _MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return header + struct.pack(f"<{4 * len(pairs)}I", *tables[0], *tables[1]) + blob


def main() -> None:
    """Compile every catalogue."""
    for path in catalogues():
        path.with_suffix(".mo").write_bytes(compiled(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
