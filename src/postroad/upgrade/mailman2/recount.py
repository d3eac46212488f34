"""An old site's files read a second time, for `verify`; nothing of it is the importer's but the reader of pickles."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postroad.foundation.errors import BadInput
from postroad.foundation.message.charsets import decode_bytes
from postroad.foundation.rows import NOT_KEPT
from postroad.upgrade.fingerprints import fingerprint
from postroad.upgrade.importing.pickles import load, load_each

_CLASSES = ("Mailman.*", "email.*")
_WRITTEN_IN = {
    "iso-8859-2": "cs hr hu pl ro sl", "iso-8859-7": "el", "iso-8859-13": "lt", "iso-8859-15": "et eu ia",
    "euc-jp": "ja", "euc-kr": "ko", "koi8-r": "ru",
}  # fmt: skip
"""Encodings that are neither Latin-1 nor UTF-8, and the languages Mailman 2.1 wrote in them."""


@dataclass(frozen=True, slots=True)
class Old:
    """One list as its files say."""

    name: str
    list_id: str
    folder: Path
    site: Path
    data: Mapping[str, Any]

    @property
    def language(self) -> str:
        """The code of its own language."""
        language = self.data.get("preferred_language") or b""
        return language.decode("ascii", "replace") if isinstance(language, bytes) else str(language)

    def text(self, value: Any, language: str = "") -> str:
        """A text of its own language, or of another."""
        if not isinstance(value, bytes):
            return "" if value is None else NOT_KEPT.sub("\ufffd", str(value).replace("\0", ""))
        language = language or self.language
        written = (charset for charset, codes in _WRITTEN_IN.items() if language in codes.split())
        return decode_bytes(value, next(written, "latin-1"))

    def number(self, name: str) -> float:
        """A number, or a switch; 0 for what is none."""
        value = self.data.get(name)
        return float(value) if isinstance(value, int | float) else 0.0

    def lines(self, name: str) -> list[str]:
        """A list of texts, or a text of several lines; without empty ones."""
        value = self.data.get(name)
        entries = value if isinstance(value, list | tuple) else self.text(value).splitlines()
        return [text for entry in entries if (text := self.text(entry).strip())]

    def table(self, name: str) -> dict[str, Any]:
        """What is kept by address; addresses in lower case."""
        value = self.data.get(name)
        return {self.text(k).lower(): v for k, v in value.items()} if isinstance(value, dict) else {}

    def pickled(self, file: str) -> dict[Any, Any]:
        """A dictionary that lies beside the configuration; empty where there is none that can be read."""
        try:
            value = load((self.folder / file).read_bytes(), _CLASSES)
        except (OSError, BadInput):
            return {}
        return value if isinstance(value, dict) else {}


def every_list(root: Path, names: Collection[str], host: str) -> Iterator[Old]:
    """The lists of these names, or all; those whose configuration cannot be read have none.

    Mailman's own list of administrators counts only if it is named, as nobody's mail goes there.
    """
    for folder in sorted((root / "lists").iterdir()):
        if names and folder.name not in names:
            continue
        data = _configuration(folder)
        at = data.get("host_name") or host
        at = at.decode("latin-1") if isinstance(at, bytes) else at
        if data and at and (folder.name != "mailman" or names):
            name = folder.name.lower()
            yield Old(name, f"{name}.{at.strip().lower()}", folder, root, data)


def _configuration(folder: Path) -> dict[str, Any]:
    for file in ("config.pck", "config.pck.last"):
        found: dict[str, Any] = {}
        try:
            for value in load_each((folder / file).read_bytes(), _CLASSES):
                found |= {k.decode("latin-1") if isinstance(k, bytes) else str(k): v for k, v in value.items()}
        except (OSError, BadInput, AttributeError):
            continue
        if found:
            return found
    return {}


def held_file(old: Old, number: int) -> str:
    """The `fingerprint` of a held post, from its file; empty if that is gone or damaged."""
    for ending in ("pck", "txt"):
        file = old.site / "data" / f"heldmsg-{old.name}-{number}.{ending}"
        try:
            data = file.read_bytes()
            message = load(data, _CLASSES) if ending == "pck" else data
        except (OSError, BadInput):
            continue
        return fingerprint(message)
    return ""
