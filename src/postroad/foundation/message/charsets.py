"""Text of bytes with a label that may be wrong, unknown or hostile: always text, always one a database takes."""

import encodings
import encodings.aliases
import functools
import pkgutil

import chardet

_GUESSED_FROM = 20_000
"""Bytes a guess is made from."""

# Python's own names; a label outside is not looked up, since Python remembers every name it was ever asked for.
_KNOWN = (
    set(encodings.aliases.aliases)
    | set(encodings.aliases.aliases.values())
    | {module.name for module in pkgutil.iter_modules(encodings.__path__)}
)
_NO_CHARSETS = frozenset({
    "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "base64_codec", "bz2_codec", "hex_codec",
    "quopri_codec", "rot_13", "uu_codec", "zlib_codec", "mbcs", "oem", "aliases",
})  # fmt: skip
# What senders say, and what they mean: the larger set that their programs write (WHATWG Encoding §4.2).
_MEANT = {
    "ascii": "utf_8", "latin_1": "cp1252", "iso8859_1": "cp1252", "iso8859_9": "cp1254", "iso8859_11": "cp874",
    "tis_620": "cp874", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932",
    "big5": "big5hkscs", "iso_8859_8_i": "iso8859_8", "windows_874": "cp874", "x_sjis": "cp932", "x_gbk": "gb18030",
    "unicode_1_1_utf_7": "utf_7", "utf8mb4": "utf_8", "utf_8_sig": "utf_8",
}  # fmt: skip
_STATEFUL = ("iso2022", "hz", "utf_7")
"""Charsets of 7 bits: their bytes would pass as ASCII, so the label alone can tell."""
_MULTIBYTE = ("gb", "big5", "cp932", "cp949", "cp950", "euc", "johab", "shift_jis", "utf_16", "utf_32")
"""Charsets in which wrong bytes hardly ever decode, so a label that decodes is right."""


@functools.lru_cache(maxsize=512)
def codec_of(label: str) -> str:
    """Python's name of the charset that is meant; empty for what is none."""
    name = encodings.normalize_encoding(label[:60].strip(" \"'").lower())
    name = encodings.aliases.aliases.get(name, name)
    name = _MEANT.get(name, name)
    return name if name in _KNOWN and name not in _NO_CHARSETS else ""


class Guess:
    """The charset of a mail whose labels are wrong: guessed at most once, since it takes milliseconds."""

    def __init__(self) -> None:
        self._codec: str | None = None

    def of(self, data: bytes) -> str:
        """What it was guessed to be; these bytes decide when none did before."""
        if self._codec is None:
            self._codec = codec_of(chardet.detect(data[:_GUESSED_FROM]).get("encoding") or "")
        return self._codec


def decode_bytes(data: bytes, charset: str, guess: Guess | None = None) -> str:
    """Text of bytes labelled with this charset; never fails, and holds neither NUL nor half a surrogate pair.

    A label of several bytes to a character is believed when it decodes; else UTF-8 comes first, then the label, then
    the guess, then Latin-1. Seen in practice: UTF-8 labelled as Latin-1 or ASCII, charsets nobody knows.
    """
    text = _decoded(data, codec_of(charset), guess)
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _decoded(data: bytes, codec: str, guess: Guess | None) -> str:
    if codec.startswith(_STATEFUL):
        return data.decode(codec, "replace").encode("utf-8", "replace").decode("utf-8")
    for name in (codec, "utf_8") if codec.startswith(_MULTIBYTE) else ("utf_8", codec):
        if (text := strictly(data, name)) is not None:
            return text
    text = strictly(data, guess.of(data) if guess else "cp1252")
    return data.decode("latin-1") if text is None else text


def strictly(data: bytes, codec: str) -> str | None:
    """Text of bytes in a charset by Python's name of it; None when they are not in it, or it has no name."""
    try:
        return data.decode(codec) if codec else None
    except (LookupError, ValueError):
        return None
