"""Puts a list's header and footer around a post, leaving every part it need not touch byte for byte."""

import re
import secrets

from postroad.foundation.message.charsets import codec_of, strictly
from postroad.foundation.message.mime import MimeTooComplex, Part, walk
from postroad.foundation.message.segments import Encoding, Slot, Template

_VARIABLE = re.compile(r"\$(?:\{([a-z_]+)\}|([a-z_]+))")


def decorate(raw: bytes, header_text: str, footer_text: str, personal: frozenset[str] = frozenset()) -> Template:
    """The mail with texts before and behind it; `personal` names become slots (facts: mail-flow §14).

    A single text/plain part is lengthened, multipart/mixed gets parts, anything else is wrapped. Empty texts change
    nothing. The mail must have CRLF lines.
    """
    top, bottom = (_normal(text) for text in (header_text, footer_text))
    if not top and not bottom:
        return Template([raw])
    try:
        root = walk(raw)
    except MimeTooComplex:
        return Template([raw])
    if root.content_type == "text/plain" and root.disposition != "attachment":
        lengthened = _lengthened(raw, root, top, bottom, personal)
        if lengthened is not None:
            return lengthened
    if root.content_type == "multipart/mixed" and root.children:
        return _inserted(raw, root, top, bottom, personal)
    return _wrapped(raw, root, top, bottom, personal)


def _normal(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return ""
    return text if text.endswith("\n") else text + "\n"


def _pieces(text: str, personal: frozenset[str], encoding: Encoding = "8bit") -> list[bytes | Slot]:
    """The text in CRLF lines, its personal variables as slots."""
    pieces: list[bytes | Slot] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        name = match[1] or match[2]
        if name in personal:
            pieces += [_crlf(text[position : match.start()]), Slot(name, encoding)]
            position = match.end()
    return [*pieces, _crlf(text[position:])]


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("utf-8", "replace")


def _lengthened(raw: bytes, root: Part, top: str, bottom: str, personal: frozenset[str]) -> Template | None:
    """A text/plain mail with the texts joined on; None where its characters cannot be kept."""
    body = raw[root.body : root.end]
    plain = root.encoding in ("7bit", "8bit", "binary")
    ascii_charset = root.charset.lower() in ("", "us-ascii", "ascii", "utf-8", "utf8")
    has_slots = any(isinstance(p, Slot) for text in (top, bottom) for p in _pieces(text, personal))
    is_utf8 = codec_of(root.charset) == "utf_8" and root.charset.lower().startswith("utf")
    untouched = plain and ascii_charset and (is_utf8 or body.isascii())
    if untouched and (is_utf8 or (top.isascii() and bottom.isascii() and not has_slots)):
        header = raw[: root.body] if "content-type" in root.headers else _labelled(raw, root)
        return Template([header, *_pieces(top, personal), _ended(body) if bottom else body, *_pieces(bottom, personal)])
    text = strictly(root.decoded(raw), codec_of(root.charset or "us-ascii"))
    if text is None:
        return None
    header = _relabelled(root)
    middle = _ended(_crlf(text.replace("\r\n", "\n")))
    return Template([header, *_pieces(top, personal), middle, *_pieces(bottom, personal)])


def _ended(body: bytes) -> bytes:
    return body if not body or body.endswith(b"\n") else body + b"\r\n"


def _labelled(raw: bytes, root: Part) -> bytes:
    """The header of a mail that says nothing of its content, saying what RFC 2045 §5.2 takes it for."""
    version = b"" if "mime-version" in root.headers else b"MIME-Version: 1.0\r\n"
    label = version + b"Content-Type: text/plain; charset=us-ascii\r\n"
    return raw[: root.headers.end] + label + (raw[root.headers.end : root.body] or b"\r\n")


def _relabelled(root: Part) -> bytes:
    """The header saying UTF-8 in 8 bit, its other parameters (format, delsp) kept."""
    params = {k: v for k, v in root.params.items() if k in ("format", "delsp")}
    value = "text/plain; charset=utf-8" + "".join(f"; {k}={v}" for k, v in params.items() if v.isalnum())
    drop = {"content-type", "content-transfer-encoding"}
    kept = b"".join(f.raw for f in root.headers if f.name.lower() not in drop)
    version = b"" if "mime-version" in root.headers else b"MIME-Version: 1.0\r\n"
    return kept + version + f"Content-Type: {value}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode()


def _text_part(text: str, personal: frozenset[str]) -> list[bytes | Slot]:
    if not text:
        return []
    head = (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
        b"Content-Disposition: inline\r\n\r\n"
    )
    return [head, *_pieces(text, personal)]


def _inserted(raw: bytes, root: Part, top: str, bottom: str, personal: frozenset[str]) -> Template:
    """multipart/mixed with one part more at the beginning and the end; the parts between are not touched."""
    line = b"--" + root.params["boundary"].encode("utf-8", "replace")
    first, last = root.children[0], root.children[-1]
    opening = raw.rfind(line, root.body, first.start)
    pieces: list[bytes | Slot] = [raw[:opening]]
    if top:
        pieces += [line + b"\r\n", *_text_part(top, personal), b"\r\n"]
    pieces.append(raw[opening : last.end])
    if bottom:
        pieces += [b"\r\n" + line + b"\r\n", *_text_part(bottom, personal)]
    rest = raw[last.end : root.end]
    return Template([*pieces, rest if rest.strip() else b"\r\n" + line + b"--\r\n"])


def _wrapped(raw: bytes, root: Part, top: str, bottom: str, personal: frozenset[str]) -> Template:
    """A new multipart/mixed around the mail; only its Content-* fields move inside."""
    boundary = f"=-{secrets.token_hex(16)}"
    line = f"--{boundary}\r\n".encode()
    moved = [field.raw for field in root.headers if field.name.lower().startswith("content-")]
    kept = [field.raw for field in root.headers if not field.name.lower().startswith("content-")]
    outer = b"".join(kept) + f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
    pieces: list[bytes | Slot] = [outer]
    if top:
        pieces += [line, *_text_part(top, personal), b"\r\n"]
    pieces += [line, b"".join(moved) + b"\r\n", raw[root.body : root.end]]
    if bottom:
        pieces += [b"\r\n", line, *_text_part(bottom, personal)]
    return Template([*pieces, f"\r\n--{boundary}--\r\n".encode()])
