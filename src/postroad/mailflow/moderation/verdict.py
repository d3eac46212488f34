"""What rules and chains say."""

from dataclasses import dataclass
from typing import Literal, Protocol

from postroad.mailflow.moderation.post import Post

Action = Literal["accept", "hold", "reject", "discard"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule applies: why, in a sentence; and, where the rule decides itself, what is to be done."""

    reason: str = ""
    action: str = ""


class Rule(Protocol):
    """A module with a name and a check."""

    name: str

    def check(self, post: Post) -> Hit | None:
        """Whether the rule applies to this post."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of a post: what is to be done, which rules hit and missed, why."""

    action: Action
    decided_by: str
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
