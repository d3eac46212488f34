"""Styles: named sets of first values. A list remembers its style, and stores only what differs from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Style:
    """A kind of list, chosen when it is made."""

    name: str
    description: str
    values: Mapping[str, Any]


DEFAULT_STYLE = "legacy-default"

STYLES: Mapping[str, Style] = MappingProxyType(
    {
        style.name: style
        for style in (
            Style(
                "legacy-announce",
                "Announce only mailing list style.",
                # Few may write, and what they write is believed: whoever claims to be one of them must prove it.
                MappingProxyType({"allow_list_posts": False, "authenticate_senders": True}),
            ),
            Style("legacy-default", "Ordinary discussion mailing list style.", MappingProxyType({})),
            Style(
                "private-default",
                "Discussion mailing list style with private archives.",
                MappingProxyType(
                    {
                        "advertised": False,
                        "archive_policy": "private",
                        "subscription_policy": "confirm_then_moderate",
                    }
                ),
            ),
        )
    }
)
