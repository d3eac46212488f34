"""What a mail to a command address asks for, read from hostile input in linear time (facts: mail-flow §19)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.html_text import html_to_text
from postroad.foundation.message.mime import MimeTooComplex, first_text, walk

LONGEST_LINE = 500
"""Characters of a line that are looked at; no command needs more."""
LONGEST_TEXT = 100_000
_PASSWORD = re.compile(r"(?:x-)?approved?[ \t]*:[ \t]*(.*)", re.IGNORECASE)
_TOKEN = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Instructions:
    """The lines a mail wants obeyed, and those beyond what one mail may ask."""

    lines: tuple[str, ...]
    ignored: tuple[str, ...] = field(default=())


def read(headers: Headers, raw: bytes, most: int) -> Instructions:
    """The subject and then up to `most` lines of the first text part.

    Quoted lines and the signature are nobody's wish. Seen in practice: answers that quote a whole help text.
    """
    subject = " ".join(decode_words(headers.get("subject") or "").split())[:LONGEST_LINE]
    body = [line for line in text_lines(raw) if line and not line.startswith(">")]
    kept = body[:most]
    return Instructions(tuple(line for line in (subject, *kept) if line), tuple(body[most:]))


def text_lines(raw: bytes) -> list[str]:
    """The lines of the first text part, stripped, without the signature."""
    lines: list[str] = []
    for line in _text(raw).split("\n"):
        if line.rstrip("\r") in ("-- ", "--"):
            break
        lines.append(" ".join(line.replace("\0", " ").split())[:LONGEST_LINE])
    return lines


def _text(raw: bytes) -> str:
    """The first text that says anything. Seen in practice: mail programs that write HTML and nothing beside it."""
    try:
        root = walk(raw)
    except MimeTooComplex:
        return ""
    plain, html = first_text(root), first_text(root, "text/html")
    text = plain.text(raw)[:LONGEST_TEXT] if plain else ""
    if text.strip() or html is None:
        return text
    return html_to_text(html.text(raw)[:LONGEST_TEXT])


def password_of(line: str) -> str | None:
    """What a moderator's `Approved:` line says; None where it is no such line."""
    found = _PASSWORD.match(line)
    return found[1].strip() if found else None


def words_of(line: str, known: Sequence[str]) -> tuple[str, list[str]]:
    """The command of a line, in lower case, and its arguments; empty where there is none.

    The second word counts when the first is no command: mail programs put `Re:` and its like before a subject.
    """
    words = line.split()
    for position in range(min(2, len(words))):
        name = words[position].lower()
        if name in known:
            return name, words[position + 1 :]
    return "", words


def secret_of(recipient: str) -> str:
    """The secret behind the + of a confirmation address; empty where there is none."""
    found = _TOKEN.fullmatch(recipient.partition("@")[0].partition("+")[2].lower())
    return found[0] if found else ""
