"""A mail for those who cannot take it as it is: relays without 8BITMIME, readers whose host knows no SMTPUTF8.

What is changed here is changed before it is signed.
"""

import base64
import quopri
import re
import secrets
from collections.abc import Iterator

from postroad.foundation.message.addresses import Address, domain_to_ascii, format_address, parse_addresses
from postroad.foundation.message.encoded_words import encode_phrase, encode_words
from postroad.foundation.message.headers import Headers, fold
from postroad.foundation.message.mime import MimeTooComplex
from postroad.foundation.message.segments import Pieces, Slot, Template, parted
from postroad.foundation.message.tree import Node, serialised, tree

_ADDRESSES = frozenset({
    "from", "sender", "reply-to", "to", "cc", "author", "x-original-from", "resent-from", "resent-sender", "resent-to",
    "resent-cc", "mail-followup-to",
})  # fmt: skip
_OPAQUE = ("multipart/signed", "multipart/encrypted")
_LINE = 76


def is_international(template: Template) -> bool:
    """Whether an address in the header is not ASCII, so that only SMTPUTF8 carries the mail (RFC 6531 §3.4).

    Seen in practice: raw letters in a subject or a name pass everywhere, and are left alone.
    """
    if all(isinstance(part, Slot) or part.partition(b"\r\n\r\n")[0].isascii() for part in template.parts):
        return False
    return any(
        not mailbox.email.isascii()
        for field in parted(template)[0]
        if _name(field) in _ADDRESSES
        for mailbox in _mailboxes(field)
    )


def ascii_header(template: Template, stand_in: str) -> Template:
    """The mail with an ASCII header (RFC 6857 §3): names as encoded words, domains as A-labels.

    An author whose address cannot be said in ASCII writes from `stand_in`, the list, under the same name; other such
    addresses become names without an address.
    """
    fields, body = parted(template)
    made: list[bytes | Slot] = []
    for field in fields:
        plain = all(isinstance(piece, Slot) or piece.isascii() for piece in field)
        made += field if plain or len(field) > 1 else [_in_ascii(field, stand_in)]
    return Template([*made, b"\r\n", *body])


def _name(field: Pieces) -> str:
    first = field[0]
    return first.partition(b":")[0].strip(b" \t").lower().decode("ascii", "replace") if isinstance(first, bytes) else ""


def _mailboxes(field: Pieces) -> list[Address]:
    return parse_addresses(found.value for found in _parsed(field))


def _parsed(field: Pieces) -> Headers:
    first = field[0]
    return Headers.parse(first) if isinstance(first, bytes) else Headers.parse(b"")


def _in_ascii(field: Pieces, stand_in: str) -> bytes:
    """A field without slots in ASCII; a line that is no field stays what it is."""
    found = _parsed(field)
    if len(found.fields) != 1:
        return b"".join(piece for piece in field if isinstance(piece, bytes))
    shown, value = found.fields[0].name, found.fields[0].value
    if shown.lower() not in _ADDRESSES:
        return fold(shown, encode_words(value))
    entries = [_mailbox(shown.lower(), address, stand_in) for address in parse_addresses([value])]
    value = ", ".join(entry for entry in entries if entry)
    return fold(shown, value) if value else b""


def _mailbox(field: str, address: Address, stand_in: str) -> str:
    """One mailbox in ASCII; empty where it would only mislead."""
    if address.local.isascii():
        try:
            return format_address(address.display_name, f"{address.local}@{domain_to_ascii(address.domain)}")
        except ValueError:
            return ""
    shown = " ".join(part for part in (address.display_name, f"({address.email})") if part)
    if field == "from":
        return format_address(shown, stand_in)
    # A group without members (RFC 6854): readers see who it is, and nobody answers to it.
    return f"{encode_phrase(shown)}:;" if field in ("to", "cc") else ""


# --- a relay without 8BITMIME


def seven_bit(template: Template) -> Template:
    """The mail with every part in 7 bits: text as quoted-printable, other content as base64 (RFC 6152 §3).

    What is signed or encrypted inside stays as it is: it should be in 7 bits already (RFC 1847 §2.1).
    """
    mark = secrets.token_hex(8)
    slots = [piece for piece in template.parts if isinstance(piece, Slot)]
    numbers = iter(range(len(slots)))
    raw = b"".join(p if isinstance(p, bytes) else b"@%b-%d@" % (mark.encode(), next(numbers)) for p in template.parts)
    pattern = re.compile(rb"@%b-(\d+)@" % mark.encode())
    try:
        root = tree(raw)
    except MimeTooComplex:
        return template
    for node in _open_nodes(root):
        _encode(raw, node, pattern)
    if not root.is_changed:
        return template
    header = len(root.fields)
    pieces: list[bytes | Slot] = []
    position = 0
    changed = serialised(raw, root)
    for match in pattern.finditer(changed):
        slot = slots[int(match[1])]
        pieces += [changed[position : match.start()], slot if match.start() < header else Slot(slot.name, "qp")]
        position = match.end()
    return Template([*pieces, changed[position:]])


def _open_nodes(node: Node) -> Iterator[Node]:
    """The nodes that may be changed, the outer ones first."""
    yield node
    if node.content_type not in _OPAQUE:
        for child in node.children:
            yield from _open_nodes(child)


def _encode(raw: bytes, node: Node, slot: re.Pattern[bytes]) -> None:
    """Bring a part that is not encoded yet into 7 bits; what holds others only says that they are."""
    content = raw[node.part.body : node.part.end]
    if node.part.encoding not in ("7bit", "8bit", "binary", "") or (content.isascii() and not slot.search(content)):
        return
    if node.content_type in _OPAQUE:
        return
    if node.children:
        node.fields, node.touched = _labelled(node.fields, b"7bit"), True
    elif node.content_type.startswith("text/"):
        node.replace(_content_fields(node, b"quoted-printable"), _quoted_printable(content, slot), node.content_type)
    else:
        node.replace(_content_fields(node, b"base64"), base64.encodebytes(content).replace(b"\n", b"\r\n"), "")


def _quoted_printable(content: bytes, slot: re.Pattern[bytes]) -> bytes:
    """Text in quoted-printable around its slots, each of which stands on a line of its own by soft breaks."""
    pieces = []
    position = 0
    for match in slot.finditer(content):
        pieces += [_encoded(content[position : match.start()]), b"=\r\n", match[0], b"=\r\n"]
        position = match.end()
    return b"".join([*pieces, _encoded(content[position:])])


def _encoded(text: bytes) -> bytes:
    return quopri.encodestring(text.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


def _content_fields(node: Node, encoding: bytes) -> bytes:
    fields = Headers.parse(node.fields + b"\r\n")
    return _labelled(b"".join(f.raw for f in fields if f.name.lower().startswith("content-")), encoding)


def _labelled(fields: bytes, encoding: bytes) -> bytes:
    """Header lines with another Content-Transfer-Encoding."""
    others = (f.raw for f in Headers.parse(fields + b"\r\n") if f.name.lower() != "content-transfer-encoding")
    return b"".join(others) + b"Content-Transfer-Encoding: %b\r\n" % encoding
