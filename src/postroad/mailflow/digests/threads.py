"""Puts the posts of an issue into threads, by what they answer to and, failing that, by their subject."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from postroad.mailflow.digests.items import Item

DEEPEST = 4
"""How far answers are indented; a phone has no room for more."""

_ANSWER = re.compile(r"(?:(?:re|aw|wg|fwd?|sv|vs|rv|tr|回复|答复)(?:\[\d+\])?\s*[::]\s*)+", re.IGNORECASE)


class Placed(NamedTuple):
    """A post and how far down its thread it stands."""

    item: Item
    depth: int


@dataclass(slots=True)
class Thread:
    """Posts about one thing, each answer behind what it answers."""

    subject: str
    posts: list[Placed] = field(default_factory=list)


def subject_of(text: str) -> str:
    """A subject without its `Re:`."""
    return _ANSWER.sub("", text, count=1).strip() if _ANSWER.match(text) else text


def threads(items: Sequence[Item]) -> list[Thread]:
    """The threads of an issue, in the order of their first posts; linear, and without recursion over what mails say."""
    places = {item.message_id: number for number, item in enumerate(items)}
    answers: list[list[int]] = [[] for _ in items]
    roots: list[int] = []
    for number, item in enumerate(items):
        known = (places[reference] for reference in reversed(item.references) if reference in places)
        parent = next((place for place in known if place < number), None)
        (roots if parent is None else answers[parent]).append(number)
    found: dict[str, Thread] = {}
    for root in roots:
        subject = subject_of(items[root].subject) or items[root].subject
        thread = found.setdefault(subject.casefold(), Thread(subject))
        stack = [(root, 1 if thread.posts else 0)]
        while stack:
            number, depth = stack.pop()
            thread.posts.append(Placed(items[number], min(depth, DEEPEST)))
            stack += [(answer, depth + 1) for answer in reversed(answers[number])]
    return list(found.values())
