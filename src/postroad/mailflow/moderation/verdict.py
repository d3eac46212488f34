"""What rules and chains say."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol

from postroad.mailflow.moderation.post import Post

Action = Literal["accept", "hold", "reject", "discard"]

ACTIONS: Mapping[str, Action] = MappingProxyType(
    {"accept": "accept", "hold": "hold", "reject": "reject", "discard": "discard"}
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule applies: why, in a sentence; what is to be done, where it decides itself; its name, where it has many."""

    reason: str = ""
    action: str = ""
    rule: str = ""


class Rule(Protocol):
    """A module with a name and a check."""

    @property
    def name(self) -> str:
        """Mailman's name of the rule."""

    def check(self, post: Post, /) -> Hit | None:
        """Whether the rule applies to this post."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of a post: what is to be done, which rules hit and missed, why."""

    action: Action
    decided_by: str
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
