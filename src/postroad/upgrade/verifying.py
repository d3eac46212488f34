"""Recounts an old site and this one, each by itself, and says on one page what agrees.

What is compared is a name on both sides, such as list, role and address, or list, setting and value. A check names
everything of a kind twice: once from the old site's own files or tables, read anew so that a mistake of the importer
cannot hide in it, and once from the tables here. What is there and not here is a difference, unless the import's
report named that very object as not possible.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from postroad.upgrade.importing.models import ImportedObject, ImportNote
from postroad.upgrade.importing.plan import LONGEST_NAME, chunks, storable

Name = tuple[Any, ...]
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Thing:
    """Something the old site has."""

    name: Name
    kind: str = ""
    """As the import's report calls it."""
    keys: Sequence[str] = ()
    """What the importer knows it by; several where it is made of several objects."""
    parts: Sequence[str] = ()
    """What the report calls the part of an object this is, where it is one."""
    instead: Name = ()
    """What must be here if the report tells that this cannot; where there is nothing that must, it is empty."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of thing, named on both sides."""

    what: str
    there: Callable[[], Iterable[Thing]]
    here: Callable[[], Iterable[Name]]


@dataclass(frozen=True, slots=True)
class Finding:
    """How many of a kind there are on each side, what only the old one has, and how many of those the report told."""

    what: str
    there: int
    here: int
    missing: tuple[str, ...]
    """Those nobody told of."""
    told: int
    surplus: int

    @property
    def agrees(self) -> bool:
        """Everything is here, but for what the import's report named as not possible."""
        return not self.missing


def recount(source: str, checks: Iterable[Check]) -> list[Finding]:
    """Do all checks; `source` is the name its imports go by."""
    return [_recount(storable(source), check) for check in checks]


def _recount(source: str, check: Check) -> Finding:
    here = {_comparable(name) for name in check.here()}
    there: set[tuple[str, ...]] = set()
    missing: dict[tuple[str, ...], Thing] = {}
    for thing in check.there():
        name = _comparable(thing.name)
        there.add(name)
        if name not in here:
            missing[name] = thing
    reports = _Reports(source, missing.values())
    untold = sorted(
        name for name, thing in missing.items()
        if not reports.tells_of(thing) or (thing.instead and _comparable(thing.instead) not in here)
    )  # fmt: skip
    shown = tuple(" ".join(name) for name in untold)
    return Finding(check.what, len(there), len(here), shown, len(missing) - len(untold), len(here - there))


def _comparable(name: Name) -> tuple[str, ...]:
    return tuple(" ".join(str("" if part is None else part).split()).lower() for part in name)


@dataclass(slots=True)
class _Reports:
    """What the reports of a source's imports say of some things."""

    source: str
    things: Iterable[Thing]
    _noted: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _brought: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        keys: dict[str, set[str]] = {}
        for thing in self.things:
            keys.setdefault(thing.kind, set()).update(map(storable, thing.keys))
        for kind, all_keys in keys.items():
            for some in chunks(sorted(all_keys)):
                notes = ImportNote.objects.filter(source__name=self.source, kind=kind, key__in=some)
                notes = notes.exclude(outcome="removed")  # By somebody here: that is a difference.
                for key, name in notes.values_list("key", "name"):
                    self._noted.setdefault((kind, key), []).append(name)
                rows = ImportedObject.objects.filter(source__name=self.source, kind=kind, key__in=some)
                self._brought |= {(kind, key) for key in rows.exclude(target=None).values_list("key", flat=True)}

    def tells_of(self, thing: Thing) -> bool:
        """Whether one of its objects is named as not possible; what the import says it brought must be here."""
        return any(self._tells_of(thing, (thing.kind, storable(key))) for key in thing.keys)

    def _tells_of(self, thing: Thing, key: tuple[str, str]) -> bool:
        noted = self._noted.get(key, [])
        if not thing.parts:
            return bool(noted) and key not in self._brought
        return any(_is_about(name, part) for name in noted for part in thing.parts)


def _is_about(note: str, part: str) -> bool:
    named = note.partition(": ")[2]
    return named == part or (len(note) == LONGEST_NAME and part.startswith(named))


def as_page(findings: Iterable[Finding]) -> str:
    """The page."""
    lines = [f"{'what':42}{'there':>12}{'here':>12}{'missing':>10}{'told':>8}  agrees"]
    for f in findings:
        lines.append(
            f"{f.what:42}{f.there:>12,}{f.here:>12,}{len(f.missing):>10,}{f.told:>8,}  {'yes' if f.agrees else 'NO'}"
        )
        lines += [f"    missing: {name[:200]}" for name in f.missing[:_SHOWN]]
        if len(f.missing) > _SHOWN:
            lines.append(f"    … and {len(f.missing) - _SHOWN:,} more")
    lines += [
        "", "missing: there and not here, or not the same here; told: so too, and the import's report says why.",
        "More here than there is no fault: accounts of the web pages, lists of old archives, and what was made here.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def as_json(findings: Iterable[Finding]) -> str:
    """The same for programs."""
    return json.dumps([{**asdict(f), "agrees": f.agrees} for f in findings], indent=2, ensure_ascii=False) + "\n"


def plain(value: Any) -> str:
    """A value as two sides have it in common: switches as words, whole and other numbers alike."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(entry).strip() for entry in value)
    return repr(float(value)) if isinstance(value, int | float) else str(value or "")
