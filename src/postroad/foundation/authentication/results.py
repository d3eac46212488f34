"""Authentication-Results: what the MTA in front of us found out about a mail (RFC 8601)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

LONGEST = 10_000
"""Characters of a field that are looked at."""

_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_PIECE = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*"?)+')
_PAIR = re.compile(r'([A-Za-z0-9_.-]+)(?:\s*/\s*\d+)?\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]+)')


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result, such as `dkim` `pass`, and its properties, such as `header.d`."""

    method: str
    result: str
    properties: dict[str, str] = field(default_factory=dict)


def parse_results(value: str) -> tuple[str, list[Result]]:
    """Who judged (authserv-id, lower-case), and the results; never fails, what is broken is left out (§2.2)."""
    text = value[:LONGEST]
    for _ in range(5):
        text, nested = _COMMENT.subn(" ", text)
        if not nested:
            break
    first, *pieces = _PIECE.findall(text) or [""]
    results = []
    for piece in pieces:
        pairs = [(name.lower(), _unquoted(word)) for name, word in _PAIR.findall(piece)]
        if pairs:
            (method, result), *properties = pairs
            results.append(Result(method, result.lower(), dict(properties)))
    words = first.split()
    return (_unquoted(words[0]).lower() if words else ""), results


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if len(word) > 1 and word[0] == word[-1] == '"' else word


def trusted_results(values: Iterable[str], authserv_ids: Sequence[str]) -> list[Result]:
    """The results by these judges, from the top of the header down.

    Of each method only the topmost field counts: what stands lower may have come with the mail (§7.1).
    """
    trusted = {name.lower() for name in authserv_ids}
    found: list[Result] = []
    seen: set[str] = set()
    for value in values:
        judge, results = parse_results(value)
        if judge in trusted:
            found += [result for result in results if result.method not in seen]
            seen |= {result.method for result in results}
    return found
