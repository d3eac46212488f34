"""The arguments of MAIL and RCPT: a path in angle brackets and parameters behind it (RFC 5321 §4.1.2)."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_PATH = re.compile(r"<(?:@[^:<>]*:)?((?:\"(?:[^\"\\]|\\.)*\"|[^<>\s\"])*)>(?:\s+(.*))?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 320

_MAIL = {
    "SIZE": r"[0-9]{1,20}",  # RFC 1870 §6
    "BODY": r"7BIT|8BITMIME",  # RFC 6152; BINARYMIME is not offered
    "SMTPUTF8": r"",  # RFC 6531
    "RET": r"FULL|HDRS",  # RFC 3461 §4.3
    "ENVID": r"[!-~]{1,100}",
    "AUTH": r"[!-~]{1,500}",  # RFC 4954 §5; a client may tell it, nobody here believes it
}
_RCPT = {"NOTIFY": r"[A-Za-z,]{1,28}", "ORCPT": r"[!-~\x80-\U0010ffff]{1,500}"}  # RFC 3461 §4.1, §4.2
PARAMETERS: Mapping[str, Mapping[str, str]] = MappingProxyType({"FROM:": _MAIL, "TO:": _RCPT})
"""What may stand behind a path, and the shape of its value."""


class Path(NamedTuple):
    """An address and its parameters; `wrong` names the first parameter that is not taken, "" if there is none."""

    address: str
    parameters: dict[str, str]
    wrong: str


def parse(argument: str, keyword: str) -> Path | None:
    """Address and parameters of `FROM:<…> SIZE=…`, or None; a space behind the colon is seen in practice."""
    if argument[: len(keyword)].upper() != keyword:
        return None
    match = _PATH.fullmatch(argument[len(keyword) :].strip())
    if match is None or len(match[1]) > _LONGEST or _CONTROL.search(match[1]):
        return None
    words = [word.partition("=") for word in (match[2] or "").split()]
    given = {name.upper(): value for name, _, value in words}
    allowed = PARAMETERS[keyword]
    wrong = next((name for name, value in given.items() if not _fits(allowed.get(name), value)), "")
    return Path(match[1], given, wrong)


def _fits(shape: str | None, value: str) -> bool:
    return shape is not None and re.fullmatch(shape, value, re.IGNORECASE) is not None
