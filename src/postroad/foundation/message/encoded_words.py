"""Words that are not ASCII in headers: RFC 2047 encoded words and RFC 2231 parameters, read and written."""

import base64
import binascii
import itertools
import quopri
import re
from urllib.parse import quote, unquote_to_bytes

from postroad.foundation.message.charsets import decode_bytes

_WORD = re.compile(r"=\?([A-Za-z0-9_.:+-]{1,60})(?:\*[A-Za-z0-9-]*)?\?([bBqQ])\?([^?]*)\?=")
_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9!#$%&\'*+/=?^_`{|}~ -]")
_LONGEST_WORD = 75
_CONTROLS = dict.fromkeys((*range(32), 127), " ")


def decode_words(text: str) -> str:
    """Header text with its encoded words decoded (RFC 2047); what is broken stays as it is.

    Control characters inside a word become spaces: no word brings a line break with it.
    Seen in practice: a character's bytes split over two adjacent words, so those are joined before decoding.
    """
    if "=?" not in text:
        return text
    pieces: list[str] = []
    held: list[bytes] = []
    held_charset = ""
    position = 0
    for match in _WORD.finditer(text):
        between = text[position : match.start()]
        charset, data = match[1].lower(), _word_bytes(match[2], match[3])
        if held and (between.strip() or charset != held_charset):
            pieces.append(_one_line(b"".join(held), held_charset))
            held = []
        if between.strip() or (position == 0 and between):
            pieces.append(between)
        held.append(data)
        held_charset, position = charset, match.end()
    if held:
        pieces.append(_one_line(b"".join(held), held_charset))
    pieces.append(text[position:])
    return "".join(pieces)


def _one_line(data: bytes, charset: str) -> str:
    text = decode_bytes(data, charset)
    return text if text.isprintable() else text.translate(_CONTROLS)


def _word_bytes(kind: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if kind in "qQ":
        return quopri.decodestring(data.replace(b"_", b"=20"), header=False)
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return data


def encode_words(text: str, charset: str = "utf-8") -> str:
    """Text for a header: ASCII as it is, else encoded words of at most 75 characters (RFC 2047 §2).

    ASCII that looks like an encoded word is encoded too, so that a reader sees what was written.
    """
    if text.isascii() and "=?" not in text:
        return text
    words, piece = [], ""
    room = (_LONGEST_WORD - len(f"=?{charset}?b??=")) // 4 * 3
    for letter in text:
        if len((piece + letter).encode(charset, "replace")) > room:
            words.append(piece)
            piece = ""
        piece += letter
    words.append(piece)
    encoded = (base64.b64encode(word.encode(charset, "replace")).decode() for word in words)
    return " ".join(f"=?{charset}?b?{word}?=" for word in encoded)


def encode_phrase(name: str) -> str:
    """A display name as RFC 5322 wants it: plain, quoted or encoded; control characters become spaces."""
    clean = " ".join(name.translate(_CONTROLS).split(" ")).strip()
    if not clean.isascii() or "=?" in clean:
        return encode_words(clean)
    if _NEEDS_QUOTES.search(clean):
        return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return clean


_LONGEST_PARAMETERS = 20_000
_MOST_PARAMETERS = 50
_WRITTEN_FOR_PEOPLE = ("name", "filename")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,100})\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


def decode_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Main value (lower-case) and parameters of a Content-Type or -Disposition; never fails (RFC 2231).

    Seen in practice: encoded words in the name of a file, where RFC 2047 §5 forbids them. Nowhere else: a boundary may
    look like one.
    """
    main, semicolon, _ = value.partition(";")
    main = main.strip().lower()
    if not semicolon:
        return main, {}
    plain: dict[str, str] = {}
    parts: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in itertools.islice(_PARAMETER.finditer(value[:_LONGEST_PARAMETERS]), _MOST_PARAMETERS):
        name, text = match[1].lower(), match[2].strip()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1] if text.endswith('"') else text[1:])
        base, star, rest = name.partition("*")
        if not star:
            if base not in plain:
                plain[base] = decode_words(text) if base in _WRITTEN_FOR_PEOPLE else text
            continue
        number, encoded = rest.rstrip("*"), rest.endswith("*") or rest == ""
        if number.isdecimal() and len(number) < 4:
            parts.setdefault(base, {})[int(number)] = (text, encoded)
        elif not number:
            parts.setdefault(base, {})[0] = (text, True)
    for name, pieces in parts.items():
        plain[name] = _joined(pieces)
    return main, plain


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """Continuations in order (RFC 2231 §4.1); the charset stands in the first."""
    charset, data = "utf-8", b""
    for number, (text, encoded) in sorted(pieces.items()):
        if encoded and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return _one_line(data, charset or "utf-8")


def encode_parameter(name: str, value: str) -> str:
    """`name="value"`, or RFC 2231 when it is not ASCII."""
    clean = value.translate(_CONTROLS)
    if clean.isascii():
        return f'{name}="' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name}*=utf-8''{quote(clean)}"
