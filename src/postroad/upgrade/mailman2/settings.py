"""A list's settings as they are here, and what is not the same about them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from postroad.community.lists.moving_in import OWN_COPIES
from postroad.community.people.old_hashes import from_passlib
from postroad.foundation.errors import BadInput
from postroad.foundation.languages import is_language
from postroad.foundation.message.addresses import is_valid_email
from postroad.foundation.patterns import compile_pattern
from postroad.upgrade.mailman2 import setting_table as table
from postroad.upgrade.mailman2.old_list import OldList
from postroad.upgrade.mailman2.placeholders import answer_text

_MITIGATIONS = ("no_mitigation", "munge_from", "wrap_message", "reject", "discard")
_MEMBER_ACTIONS = ("hold", "reject", "discard")


@dataclass(slots=True)
class Mapped:
    """What became of a list's attributes."""

    values: dict[str, Any] = field(default_factory=dict)
    """Settings by the register's names, typed as they are there."""
    notes: list[tuple[str, Literal["mapped", "impossible"], str]] = field(default_factory=list)
    """Attribute, outcome, why."""

    def tell(self, name: str, why: str) -> None:
        """It is here in another way."""
        self.notes.append((name, "mapped", why))

    def lose(self, name: str, why: str) -> None:
        """It cannot be here."""
        self.notes.append((name, "impossible", why))


def map_settings(old: OldList) -> Mapped:
    """Every attribute of a list, by the table and the few that depend on each other."""
    mapped = Mapped()
    _by_table(old, mapped)
    _choices(old, mapped)
    _identity(old, mapped)
    _archive(old, mapped)
    _moderation(old, mapped)
    _digests(old, mapped)
    _topics(old, mapped)
    _lost(old, mapped)
    return mapped


def _by_table(old: OldList, mapped: Mapped) -> None:
    values = mapped.values
    for source, target in table.BOOLEANS.items():
        if source in old.data:
            values[target] = bool(old.number(source))
    for source, target in table.WHOLE_NUMBERS.items():
        if source in old.data:
            number = old.number(source)
            values[target] = max(math.ceil(number), 0)
            if number != values[target]:
                mapped.tell(source, f"{number:g} becomes {values[target]}: whole numbers only")
    for source, target in table.LINES.items():
        if source in old.data:
            values[target] = " ".join(old.text(source).split())
    for source, target in table.TEXTS.items():
        if source in old.data:
            values[target] = old.text(source).replace("\r\n", "\n")
    for source, target in table.ANSWERS.items():
        if source in old.data:
            values[target] = answer_text(old.text(source))
    for source, target in table.LISTS.items():
        if source in old.data:
            values[target] = [entry for entry in _entries(old, source) if entry]
    for source, (target, unit) in table.DURATIONS.items():
        if source in old.data:
            values[target] = max(old.number(source), 0.0) * unit


def map_counters(old: OldList) -> dict[str, Any]:
    """What the list counts, by its names here."""
    counters: dict[str, Any] = {}
    for source, target in table.COUNTERS.items():
        if source in old.data:
            counters[target] = max(int(old.number(source)), 0 if source == "usenet_watermark" else 1)
    if old.get("usenet_watermark") is None:
        counters.pop("usenet_watermark", None)
    counters["last_post_at"] = old.moment("last_post_time")
    counters["digest_last_sent_at"] = old.moment("digest_last_sent_at")
    return counters


def _entries(old: OldList, source: str) -> Iterator[str]:
    """Entries of a list; another list of the site is named with its host here."""
    for entry in old.texts(source):
        yield f"{entry}@{old.mail_host}" if entry.startswith("@") and "@" not in entry[1:] else entry


def _choices(old: OldList, mapped: Mapped) -> None:
    for source, (target, words) in table.CHOICES.items():
        if source not in old.data:
            continue
        number = int(old.number(source))
        if 0 <= number < len(words):
            mapped.values[target] = words[number]
        else:
            mapped.lose(source, f"{number} is none of {', '.join(words)}")
    if "personalize" in old.data and int(old.number("personalize")) == 0:
        mapped.tell("personalize", OWN_COPIES)


def _identity(old: OldList, mapped: Mapped) -> None:
    values = mapped.values
    if is_language(old.language):
        values["preferred_language"] = old.language
    else:
        mapped.tell("preferred_language", f"{old.language} is not one of Postroad's languages: English is used")
    prefix = " ".join(old.text("subject_prefix").split("\n")).strip()
    values["subject_prefix"] = f"{prefix} " if prefix else ""
    aliases = []
    for line in old.texts("acceptable_aliases"):
        if is_valid_email(line) and not line.startswith("^"):
            aliases.append(line)
            continue
        pattern = line if line.startswith("^") else f"^{line}"
        if _is_pattern(pattern):
            aliases.append(pattern)
        else:
            mapped.lose("acceptable_aliases", f"{line} is no valid pattern; Mailman did not obey it either")
    values["acceptable_aliases"] = [*aliases, f"^{old.name}@"]
    host = old.text("nntp_host")
    if host and old.number("gateway_to_news") + old.number("gateway_to_mail"):
        mapped.tell("nntp_host", f"the news server is the site's: put {host} under [nntp] in postroad.toml")


def _is_pattern(pattern: str) -> bool:
    try:
        compile_pattern(pattern)
    except BadInput:
        return False
    return True


def _archive(old: OldList, mapped: Mapped) -> None:
    """Private unless it surely was public."""
    if not old.number("archive", 1):
        mapped.values["archive_policy"] = "never"
    else:
        mapped.values["archive_policy"] = "public" if old.get("archive_private") in (0, False) else "private"
    if old.number("scrub_nondigest"):
        mapped.values["link_attachments_above"] = 1
        mapped.tell("scrub_nondigest", "attachments of more than 1 kB become links into the archive")


def _moderation(old: OldList, mapped: Mapped) -> None:
    values = mapped.values
    action = int(old.number("member_moderation_action"))
    moderated = _MEMBER_ACTIONS[action] if 0 <= action < len(_MEMBER_ACTIONS) else "hold"
    values["default_member_action"] = moderated if old.number("default_member_moderation") else "defer"
    always, sometimes = int(old.number("from_is_list")), int(old.number("dmarc_moderation_action"))
    mitigation = max(sometimes, always)
    values["dmarc_mitigate_action"] = _MITIGATIONS[mitigation] if 0 <= mitigation < 5 else "no_mitigation"
    values["dmarc_mitigate_unconditionally"] = always > sometimes
    if sometimes >= always > 0:
        mapped.tell("from_is_list", "only posts whose author's domain asks for it are changed, by the stronger action")
    password = from_passlib(old.text("mod_password"))
    if password:
        values["moderator_password"] = password
    elif old.text("mod_password"):
        mapped.lose("mod_password", "it is kept in a way nobody can check; set a new one")


def _digests(old: OldList, mapped: Mapped) -> None:
    if "digest_size_threshhold" in old.data:
        mapped.values["digest_size_threshold"] = max(old.number("digest_size_threshhold"), 0.0)


def _topics(old: OldList, mapped: Mapped) -> None:
    lines: list[str] = []
    topics = old.get("topics")
    for topic in topics if isinstance(topics, list | tuple) else ():
        name, pattern, description = (old.decode(part) for part in (*topic, b"", b"", b"")[:3])
        plain = " ".join(name.replace(":", " ").split())
        patterns = [line.strip() for line in pattern.splitlines() if line.strip()]
        if not patterns:
            mapped.lose("topics", f"{name} has no pattern")
        lines += [f"{plain}: {one}" for one in patterns]
        if description.strip() or plain != name:
            named = name if plain == name else f"{name} is called {plain}"
            mapped.tell("topics", f"{named}; its description is kept in this report only: {description}")
    mapped.values["topics"] = lines


def _lost(old: OldList, mapped: Mapped) -> None:
    for name, (harmless, why) in table.LOST.items():
        value = old.get(name)
        if name not in old.data or value in harmless or (not value and not harmless):
            continue
        if isinstance(value, bytes) and old.decode(value).strip() in harmless:
            continue
        shown = ", ".join(old.texts(name)) if isinstance(value, bytes | list | tuple) else f"{value}"
        mapped.lose(name, f"{'' if 'password' in name else shown + ': '}{why}")
    known = {
        *table.BOOLEANS, *table.WHOLE_NUMBERS, *table.LINES, *table.TEXTS, *table.ANSWERS, *table.LISTS,
        *table.CHOICES, *table.DURATIONS, *table.COUNTERS, *table.LOST, *table.ELSEWHERE,
    }  # fmt: skip
    for name in sorted(set(old.data) - known):
        mapped.lose(name[:80], "no release of Mailman 2.1 has this attribute")
