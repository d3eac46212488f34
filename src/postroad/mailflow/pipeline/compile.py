"""Turns a finished draft into the template its copies are spliced from."""

import re

from postroad.foundation.message.decoration import decorate
from postroad.foundation.message.headers import Headers, apply_edits
from postroad.foundation.message.segments import Slot, Template
from postroad.mailflow.pipeline.draft import Draft

PERSONAL = frozenset({
    "member", "user_email", "user_address", "user_delivered_to", "user_language", "user_name", "user_name_or_email",
    "user_name_or_address", "unsubscribe_url",
})  # fmt: skip
_SLOT = re.compile(r"\$\{([a-z_]+)\}")


def template_of(draft: Draft) -> Template:
    """The mail with its edits, decoration and personal header fields; untouched bytes as they came."""
    raw = apply_edits(draft.raw, draft.edits)
    personal = PERSONAL if draft.envelope.verp else frozenset()
    decorated = decorate(raw, draft.header_text, draft.footer_text, personal)
    if not draft.slots or not decorated.parts:
        return decorated
    first = decorated.parts[0]
    assert isinstance(first, bytes)
    headers = Headers.parse(first)
    end = headers.fields[-1].end if headers.fields else 0
    return Template([first[:end], *_lines(draft.slots), first[end:], *decorated.parts[1:]])


def _lines(slots: dict[str, str]) -> list[bytes | Slot]:
    """Header lines with slots; a slot that is a whole line stands alone, since a copy may lack it."""
    pieces: list[bytes | Slot] = []
    for field, value in slots.items():
        if value.startswith("$") and not value.startswith("${"):
            pieces.append(Slot(value[1:], "8bit"))
            continue
        pieces.append(f"{field}: ".encode())
        position = 0
        for match in _SLOT.finditer(value):
            pieces += [value[position : match.start()].encode(), Slot(match[1], "header")]
            position = match.end()
        pieces.append(value[position:].encode() + b"\r\n")
    return pieces
