"""What the step modules share: the installation, and rows with their preferences."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from postroad.community.people.models import PREFERENCE_NAMES
from postroad.foundation.languages import is_language
from postroad.upgrade.importing.plan import MOST_PARAMETERS, Batch, Item, batches
from postroad.upgrade.mailman3.databases import OldDatabase, Row
from postroad.upgrade.mailman3.installation import Installation
from postroad.upgrade.mailman3.values import boolean, word

_ENUMS = {"delivery_mode": "DeliveryMode", "delivery_status": "DeliveryStatus"}
_BOOLEANS = ("acknowledge_posts", "hide_address", "receive_list_copy", "receive_own_postings")


@dataclass(slots=True)
class Moving:
    """One run over one installation."""

    installation: Installation
    is_cut_over: bool = False
    """The old system is stopped for good: what waits in its queues and digests comes too."""
    lists: dict[str, int] = field(default_factory=dict)
    """Keys of lists by their list-ids, as far as they were looked up."""

    @property
    def core(self) -> OldDatabase:
        """The core's database."""
        return self.installation.core


def with_preferences(core: OldDatabase, rows: Iterable[Row]) -> Iterator[Row]:
    """Rows with what their `preferences_id` names, under `preferences`."""
    for some in batches(rows, MOST_PARAMETERS):
        keys = [row["preferences_id"] for row in some if row["preferences_id"] is not None]
        found = {row["id"]: row for row in core.pick("preferences", ("id", *PREFERENCE_NAMES), "id", keys)}
        for row in some:
            chosen = found.get(row["preferences_id"], {})
            row["preferences"] = {name: chosen[name] for name in PREFERENCE_NAMES if chosen.get(name) is not None}
            yield row


def preferences(batch: Batch, item: Item, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Preferences as they are here; null asks the next level there and here."""
    found: dict[str, Any] = {name: word(enum, chosen.get(name)) for name, enum in _ENUMS.items()}
    found |= {name: boolean(chosen.get(name)) for name in _BOOLEANS}
    language = chosen.get("preferred_language")
    if language is not None and not is_language(language):
        batch.mapped(item, f"the language {language} is not one of Postroad's; the list's is used", "language")
        language = None
    return {**found, "preferred_language": language}
