"""How a slice's `settings.py` declares its list settings: one `Group`, one call for each setting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from postroad.community.lists.models import MailingList
from postroad.community.lists.register import Kind, Setting

T = TypeVar("T")

PIPELINES = ("default-owner-pipeline", "default-posting-pipeline", "virgin")
CHAINS = (
    "accept", "default-owner-chain", "default-posting-chain", "discard", "dmarc", "header-match", "hold", "moderation",
    "reject",
)  # fmt: skip

DAY = 86_400.0
"""Seconds; durations are declared as multiples of it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that stand together on a page, under this heading."""

    name: str

    def boolean(self, name: str, default: bool, label: str, help: str = "", *, exposed: bool = True) -> Setting[bool]:  # noqa: A002
        """Yes or no."""
        return Setting(name, "bool", default, self.name, label, help, exposed=exposed)

    def integer(self, name: str, default: int, label: str, help: str = "", *, exposed: bool = True) -> Setting[int]:  # noqa: A002
        """A whole number, 0 or more."""
        return Setting(name, "int", default, self.name, label, help, exposed=exposed)

    def number(self, name: str, default: float, label: str, help: str = "") -> Setting[float]:  # noqa: A002
        """A number, 0 or more."""
        return Setting(name, "float", default, self.name, label, help)

    def line(self, name: str, default: str, label: str, help: str = "", *, exposed: bool = True) -> Setting[str]:  # noqa: A002
        """Text on one line."""
        return Setting(name, "line", default, self.name, label, help, exposed=exposed)

    def text(self, name: str, default: str, label: str, help: str = "", *, exposed: bool = True) -> Setting[str]:  # noqa: A002
        """Text of any length."""
        return Setting(name, "text", default, self.name, label, help, exposed=exposed)

    def choice(
        self,
        name: str,
        choices: Sequence[str],
        default: str,
        label: str,
        help: str = "",  # noqa: A002
        *,
        exposed: bool = True,
    ) -> Setting[str]:
        """One of a few words."""
        return Setting(name, "choice", default, self.name, label, help, tuple(choices), exposed=exposed)

    def strings(
        self,
        name: str,
        label: str,
        help: str = "",  # noqa: A002
        *,
        kind: Kind = "strings",
        exposed: bool = True,
    ) -> Setting[Sequence[str]]:
        """Any number of texts, none at first; `kind` says what each may be."""
        default: Sequence[str] = ()
        return Setting(name, kind, default, self.name, label, help, exposed=exposed)

    def duration(self, name: str, seconds: float, label: str, help: str = "") -> Setting[float]:  # noqa: A002
        """A length of time in seconds."""
        return Setting(name, "duration", seconds, self.name, label, help)

    def language(self, name: str, default: str, label: str, help: str = "") -> Setting[str]:  # noqa: A002
        """The code of a language."""
        return Setting(name, "language", default, self.name, label, help)

    def pipeline(self, name: str, default: str, label: str, help: str = "", *, exposed: bool = True) -> Setting[str]:  # noqa: A002
        """The name of a pipeline."""
        return Setting(name, "pipeline", default, self.name, label, help, PIPELINES, exposed=exposed)

    def password(self, name: str, label: str, help: str = "") -> Setting[str | None]:  # noqa: A002
        """The hash of a password; none at first."""
        return Setting(name, "password", None, self.name, label, help, nullable=True)

    def derived(self, name: str, kind: Kind, derive: Callable[[MailingList], T], label: str) -> Setting[T]:
        """Something that follows from the list and cannot be written."""
        return Setting(name, kind, None, self.name, label, derive=derive)  # type: ignore[arg-type]

    def moment(
        self, name: str, derive: Callable[[MailingList], datetime | None], label: str
    ) -> Setting[datetime | None]:
        """When something happened last, if it did; cannot be written."""
        return Setting(name, "moment", None, self.name, label, derive=derive, nullable=True)
