"""Regular expressions that list owners write: checked when they are made, so that no mail can make one hang.

Used by bans, header matches, moderation and acceptable aliases. Python's matcher backtracks and cannot be stopped,
so a pattern whose time could grow exponentially is refused, and texts are cut the shorter the steeper it grows.
"""

import functools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from postroad.foundation.errors import BadInput

LONGEST_PATTERN = 500
"""Characters."""
LONGEST_TEXT = 2000
"""Characters of a text that are looked at, if the pattern allows so many."""
SHORTEST_TEXT = 100
"""Characters that every pattern must be able to look at; a mail address or a subject has as many."""
MOST_STEPS = 50_000_000
"""About what the matcher may try on one text: some tenths of a second."""
MANY = 10
"""A repeat of so many rounds counts as endless."""

_Node = tuple[Any, Any]
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_SINGLE = (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN)
_BEYOND = 0x4E00
_UNIVERSE = frozenset(range(256)) | {_BEYOND}
"""Latin-1 and one character to stand for all others."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that is safe to run."""

    text: str
    regex: re.Pattern[str]
    limit: int


@functools.lru_cache(maxsize=2048)
def compile_pattern(text: str) -> Pattern:
    """A case-insensitive pattern, made once and remembered.

    Raises:
        BadInput: it is too long, no regular expression, or could take for ever on a crafted text.
    """
    if len(text) > LONGEST_PATTERN:
        raise BadInput(f"Pattern of {len(text)} characters; allowed are {LONGEST_PATTERN}.")
    try:
        tree = parser.parse(text, re.IGNORECASE)
        regex = re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadInput(f"Not a regular expression: {text} ({error})") from None
    judge = _Judge(text, degree=0 if text.startswith("^") else 1)
    judge.sequence(list(tree), 1)
    if judge.limit() < SHORTEST_TEXT:
        raise BadInput(f"Pattern has too many repeats that overlap, and could take for ever: {text}")
    return Pattern(text, regex, judge.limit())


def matches(pattern: Pattern, text: str) -> bool:
    """Whether the text begins with what the pattern describes."""
    return pattern.regex.match(text[: pattern.limit]) is not None


def found(pattern: Pattern, text: str) -> bool:
    """Whether the text contains what the pattern describes."""
    return pattern.regex.search(text[: pattern.limit]) is not None


@dataclass(slots=True)
class _Judge:
    """Walks through a pattern and adds up in how many ways the matcher could try it on a text of n characters."""

    text: str
    degree: int = 0
    """Endless repeats that can give way to what follows: each multiplies the ways by n."""
    scans: bool = False
    """There are endless repeats that cannot; they cost n once more after all others."""
    bits: float = 0.0
    """Logarithm (base 2) of the ways that do not grow with the text."""

    def limit(self) -> int:
        """How many characters of a text may be looked at; fewer than `SHORTEST` means that the pattern is no use."""
        degree = self.degree + self.scans
        if self.bits > math.log2(MOST_STEPS):
            return 0
        share = MOST_STEPS * math.factorial(min(degree, 20)) / 2**self.bits
        return min(LONGEST_TEXT, int(share ** (1 / degree))) if degree else LONGEST_TEXT

    def sequence(self, nodes: Sequence[_Node], rounds: int) -> None:
        """Judge one sequence, which the surrounding repeats may run `rounds` times.

        Raises:
            BadInput: it could grow exponentially.
        """
        for index, node in enumerate(nodes):
            code, argument = node
            if code in _REPEATS:
                self.repeat(node, nodes[index + 1 :], rounds)
            elif code is codes.BRANCH:
                self.branches([list(branch) for branch in argument[1]], rounds)
            elif code in (codes.GROUPREF, codes.GROUPREF_EXISTS):
                raise BadInput(f"References to groups are not allowed in patterns: {self.text}")
            else:
                for inner in _inside(node):
                    self.sequence(inner, rounds)

    def branches(self, branches: Sequence[list[_Node]], rounds: int) -> None:
        """Judge alternatives; those that begin alike may all be tried at one place."""
        if not _disjoint(_first(branch) for branch in branches):
            if rounds >= MANY:
                raise BadInput(f"Alternatives that begin alike inside a repeat could take for ever: {self.text}")
            self.bits += math.log2(len(branches)) * rounds
        for branch in branches:
            self.sequence(branch, rounds)

    def repeat(self, node: _Node, following: Sequence[_Node], rounds: int) -> None:
        """Judge a repeat; one that ends where something else must begin has but one way to match."""
        least, most, body = int(node[1][0]), int(node[1][1]), list(node[1][2])
        self.sequence(body, min(rounds * max(most, 1), MOST_STEPS))
        if least == most:
            return
        separated = bool(following) and _disjoint([_first(body), _first(following)])
        if rounds >= MANY and not (separated and len(body) == 1 and body[0][0] in _SINGLE):
            raise BadInput(f"A repeat inside a repeat could take for ever: {self.text}")
        if separated:
            self.scans = self.scans or most >= MANY
        elif most - least >= MANY:
            self.degree += rounds
        else:
            self.bits += math.log2(most - least + 1) * rounds


def _inside(node: _Node) -> Iterable[list[_Node]]:
    """The sequences a group or an assertion holds."""
    code, argument = node
    if code is codes.SUBPATTERN:
        return [list(argument[3])]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [list(argument[1])]
    if code is codes.ATOMIC_GROUP:
        return [list(argument)]
    return []


def _disjoint(sets: Iterable[frozenset[int]]) -> bool:
    return all(not (one & other) for one, other in combinations(list(sets), 2))


def _first(nodes: Sequence[_Node]) -> frozenset[int]:
    """The characters a sequence may begin with; every one if that is not plain to see."""
    if not nodes:
        return _UNIVERSE
    code, argument = nodes[0]
    if code in _SINGLE:
        return _characters(nodes[0])
    if code is codes.SUBPATTERN and argument[3]:
        return _first(list(argument[3]))
    if code in _REPEATS and argument[0] > 0:
        return _first(list(argument[2]))
    return _UNIVERSE


def _characters(node: _Node) -> frozenset[int]:
    """The characters one position may hold, in either case."""
    code, argument = node
    if code is codes.LITERAL:
        return _both_cases({argument if argument in _UNIVERSE else _BEYOND})
    if code is codes.IN:
        wanted: set[int] = set()
        for kind, value in argument:
            if kind is codes.LITERAL:
                wanted.add(value if value in _UNIVERSE else _BEYOND)
            elif kind is codes.RANGE:
                wanted |= {c for c in _UNIVERSE if value[0] <= c <= value[1]}
                wanted |= {_BEYOND} if value[1] > 255 else set()
            elif kind is codes.CATEGORY:
                wanted |= {c for c in _UNIVERSE if _in_category(value, chr(c))} | {_BEYOND}
        positive = _both_cases(wanted)
        return (_UNIVERSE - positive) | {_BEYOND} if argument[0][0] is codes.NEGATE else positive
    if code is codes.NOT_LITERAL:
        return _UNIVERSE - _both_cases({argument}) | {_BEYOND}
    return _UNIVERSE


def _both_cases(characters: set[int]) -> frozenset[int]:
    cased = {ord(form) for c in characters for form in (chr(c).lower(), chr(c).upper()) if len(form) == 1}
    return frozenset(c if c in _UNIVERSE else _BEYOND for c in characters | cased)


def _in_category(category: Any, character: str) -> bool:
    tests = {
        codes.CATEGORY_DIGIT: r"\d",
        codes.CATEGORY_NOT_DIGIT: r"\D",
        codes.CATEGORY_SPACE: r"\s",
        codes.CATEGORY_NOT_SPACE: r"\S",
        codes.CATEGORY_WORD: r"\w",
        codes.CATEGORY_NOT_WORD: r"\W",
    }
    return re.match(tests[category], character) is not None
