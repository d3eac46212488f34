"""Mail addresses: read from headers that may say anything, checked, and written (RFC 5322 §3.4, RFC 6531)."""

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import idna

from postroad.foundation.message.encoded_words import decode_words, encode_phrase

_LONGEST = 250_000
"""Characters of all fields together in which addresses are looked for."""


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: who it is called and where it is."""

    display_name: str
    local: str
    domain: str

    @property
    def email(self) -> str:
        """The bare address."""
        return f"{self.local}@{self.domain}"


_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<quoted>"(?:[^"\\]|\\.)*+"?)|(?P<comment>\()|(?P<angle><[^<>]*>?)"""
    r"""|(?P<comma>[,;])|(?P<colon>:)|(?P<word>[^\s"(<>,;:]+)|(?P<junk>.)""",
    re.DOTALL,
)
_COMMENT = re.compile(r"\\.|[()]", re.DOTALL)
_PLAIN = re.compile(r"(?P<local>(?:[^\s@\"(),:;<>\[\]\\]+|\"(?:[^\"\\\r\n]|\\.)*\"))@(?P<domain>[^\s@\"(),:;<>\\]+)")


def parse_addresses(values: Iterable[str]) -> list[Address]:
    """Every mailbox of the given header values, in order; what is no mailbox is left out. Never fails, linear time.

    An entry with two addresses in it (CVE-2023-27043) is left out instead of being guessed at.
    """
    found: list[Address] = []
    room = _LONGEST
    for value in values:
        part, room = value[:room], room - len(value[:room])
        for name, address in _entries(part):
            match = _PLAIN.fullmatch(address)
            if match is not None:
                found.append(Address(name, match["local"], match["domain"].rstrip(".")))
    return found


def _entries(text: str) -> list[tuple[str, str]]:
    """Display name and address text of each entry between commas; group names are dropped."""
    entries: list[tuple[str, str]] = []
    phrase: list[str] = []
    angles: list[str] = []
    position = 0
    comment = ""
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None  # `junk` takes any character.
        kind, token, position = match.lastgroup, match[0], match.end()
        if kind == "comment":
            comment, position = _comment(text, position)
        elif kind == "comma":
            _close(entries, phrase, angles, comment)
            phrase, angles, comment = [], [], ""
        elif kind == "colon":
            phrase, angles = [], []
        elif kind == "angle":
            angles.append(token.strip("<>").strip())
        elif kind == "space":
            phrase.append(" ")
        elif kind != "junk":
            phrase.append(token)
    _close(entries, phrase, angles, comment)
    return entries


def _comment(text: str, position: int) -> tuple[str, int]:
    """The text of a comment, nested ones included, and where it ends."""
    depth, start = 1, position
    for match in _COMMENT.finditer(text, position):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return text[start : match.start()], match.end()
    return text[start:], len(text)


def _close(entries: list[tuple[str, str]], phrase: list[str], angles: list[str], comment: str) -> None:
    text = "".join(phrase).strip()
    if len(angles) == 1:
        address = angles[0].rpartition(":")[2].strip() if angles[0].startswith("@") else angles[0]
        entries.append((_name(text), address))
    elif not angles and text:
        entries.append((_name(comment) if comment else "", text))


def _name(text: str) -> str:
    """A display name as people read it: unquoted, decoded, on one line."""
    unquoted = re.sub(r'"((?:[^"\\]|\\.)*)"?', lambda m: re.sub(r"\\(.)", r"\1", m[1]), text)
    return " ".join(decode_words(unquoted).split())[:200]


_LOCAL = re.compile(r"[-0-9a-zA-Z!#$%&'*+./=?@_`{}~\u0080-\U0010ffff]+")
_LABEL = re.compile(r"[0-9a-zA-Z\u0080-\U0010ffff][-0-9a-zA-Z\u0080-\U0010ffff]*")


def is_valid_email(text: str) -> bool:
    """Whether a list may have this subscriber: Mailman's own check, wider only for other scripts (RFC 6531)."""
    return len(text) <= 254 and _is_valid(text)


@functools.lru_cache(maxsize=4096)
def _is_valid(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    local = local.removeprefix('"').removesuffix('"')
    labels = domain.split(".")
    if not at or len(labels) < 2 or not _LOCAL.fullmatch(local):
        return False
    return all(_LABEL.fullmatch(label) for label in labels)


def format_address(name: str, email: str) -> str:
    """A mailbox for a header: `Name <address>`, the name quoted or encoded as needed."""
    clean = re.sub(r"[\r\n\0<>]", "", email)
    return f"{encode_phrase(name)} <{clean}>" if name.strip() else clean


def needs_smtputf8(email: str) -> bool:
    """Whether the local part is not ASCII, so that the relay must offer SMTPUTF8 (RFC 6531 §3.1)."""
    return not email.rpartition("@")[0].isascii()


def domain_to_ascii(domain: str) -> str:
    """A domain as DNS and old relays know it.

    Raises:
        ValueError: it is no domain.
    """
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{domain} is no domain: {error}") from None


def domain_forms(domain: str) -> tuple[str, str]:
    """The domain in lower case as DNS knows it (A-labels) and as people read it (U-labels); often the same twice."""
    lower = domain.lower()
    if lower.isascii() and "xn--" not in lower:
        return lower, lower
    try:
        return domain_to_ascii(lower), idna.decode(lower, uts46=True)
    except (ValueError, idna.IDNAError):
        return lower, lower


_LONGEST_EMAIL = 320
"""Characters; what is longer is no address, and is not worth the work."""


def identity(email: str) -> str:
    """What is the same for all spellings of one mailbox: the address in lower case, its domain as DNS knows it.

    An international domain has two forms (RFC 5890 §2.3.2.1) and a letter with an accent two codings (RFC 6532 §3.1).
    What is no domain by RFC 5891 stays as it is; never raises. ADR 12.
    """
    lower = email.lower()
    return lower if lower.isascii() or len(lower) > _LONGEST_EMAIL else _identity(lower)


@functools.lru_cache(maxsize=4096)
def _identity(lower: str) -> str:
    local, at, domain = lower.rpartition("@")
    return with_ascii_domain(f"{unicodedata.normalize('NFC', local)}{at}{domain}")


def readable(email: str) -> str:
    """The address with its domain as people read it (U-labels); as it is where that is no other."""
    local, at, domain = email.rpartition("@")
    return f"{local}{at}{domain_forms(domain)[1]}" if "xn--" in domain else email


def spellings(email: str) -> tuple[str, ...]:
    """Its identity, and the same as people read it: a pattern may have been written for either."""
    known_as = identity(email)
    return tuple(dict.fromkeys((known_as, readable(known_as))))


def with_ascii_domain(email: str) -> str:
    """The address with its domain as DNS knows it; as it is where that is no domain."""
    local, at, domain = email.rpartition("@")
    try:
        return email if domain.isascii() else f"{local}{at}{domain_to_ascii(domain)}"
    except ValueError:
        return email
