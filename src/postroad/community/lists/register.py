"""The register of list settings: each is declared once, in its slice's `settings.py`, and everything follows from it.

REST's config resource, the web form, importers, the audit log and the reference page read `all_settings()`;
code reads one value, typed, with `setting.of(mailing_list)`.
"""

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeVar

from django.conf import settings as django_settings

from postroad.community.lists.models import MailingList
from postroad.community.lists.styles import STYLES

T = TypeVar("T")

Kind = Literal[
    "bool", "int", "float", "line", "text", "choice", "strings", "emails_or_patterns", "emails_or_patterns_or_lists",
    "aliases", "duration", "language", "pipeline", "password", "moment",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One list setting: its Mailman name, what it may be, and what people read about it.

    Durations are seconds (float) here and `7d` on the wire; `derive` makes a read-only one from the list itself.
    One that is not `exposed` is no REST attribute: only Postroad's own pages and importers write it.
    """

    name: str
    kind: Kind
    default: T
    group: str
    label: str
    help: str = ""
    choices: tuple[str, ...] = ()
    derive: Callable[[MailingList], T] | None = None
    nullable: bool = False
    exposed: bool = True

    @property
    def read_only(self) -> bool:
        """Whether it follows from the list and cannot be written."""
        return self.derive is not None

    def of(self, mailing_list: MailingList) -> T:
        """The value in force for this list: its own, else its style's, else the default."""
        if self.derive is not None:
            return self.derive(mailing_list)
        stored: Mapping[str, Any] = mailing_list.settings
        if self.name in stored:
            return stored[self.name]  # type: ignore[no-any-return]
        return self.initial(mailing_list)

    def initial(self, mailing_list: MailingList) -> T:
        """The value a list of this style has that never changed it."""
        style = STYLES.get(mailing_list.style_name)
        if style is not None and self.name in style.values:
            return style.values[self.name]  # type: ignore[no-any-return]
        if isinstance(self.default, str) and "{" in self.default:
            name = mailing_list.list_name.capitalize()
            return self.default.replace("{list_name}", name)  # type: ignore[return-value]
        return self.default


@functools.cache
def all_settings() -> Mapping[str, Setting[Any]]:
    """Every declared setting by name, in the order of the modules named in the site's settings."""
    found: dict[str, Setting[Any]] = {}
    for name in django_settings.LIST_SETTING_MODULES:
        for setting in importlib.import_module(name).SETTINGS:
            if setting.name in found:
                raise ValueError(f"list setting {setting.name} is declared twice")
            found[setting.name] = setting
    return MappingProxyType(found)


@functools.cache
def writable() -> Mapping[str, Setting[Any]]:
    """The settings that can be changed."""
    return MappingProxyType({name: s for name, s in all_settings().items() if not s.read_only})
