"""What an importer is made of: steps, the objects they read, and the batch in which they are written."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from postroad.community.lists.models import MailingList
from postroad.foundation.errors import PostroadError
from postroad.foundation.rows import NOT_KEPT
from postroad.upgrade.importing.both_sides import Rows
from postroad.upgrade.importing.models import ImportedObject, ImportSource

T = TypeVar("T")
Outcome = Literal["mapped", "impossible", "removed"]
LONGEST_NAME = 500
"""Characters of a source, an object's key or a note's name."""
MOST_PARAMETERS = 500
"""Values that one query is given."""
MOST_OCTETS = 16 * 1024 * 1024
"""What the objects of a batch hold together; one alone may hold more."""


class ImportStopped(PostroadError):
    """The import cannot go on now: source or database is away, damaged or full. What is written stays; run it again."""


@dataclass(slots=True)
class Item:
    """One object of the source."""

    key: str
    """Names it among its kind, the same in every run."""
    data: Any
    """What the step's `write` needs; with `prepare`, what that made of it."""
    name: str = ""
    """What people call it, for the report; the key where there is nothing better."""
    fingerprint: int = 0
    """Another one than last time means that the object changed; made of `data` unless given."""
    target: int | None = None
    """Key of the row here, if an earlier run wrote it; the row may be gone meanwhile."""
    octets: int = 0
    """What it holds, or will when it is fetched; for objects that may be large."""

    def __post_init__(self) -> None:
        self.key, self.name = storable(self.key), storable(self.name)
        if not self.fingerprint:
            self.fingerprint = fingerprint_of(self.data)


def storable(text: str) -> str:
    """A name as its column holds it: names of old files and people hold any bytes, and as many as they like."""
    return _escaped(text)[:LONGEST_NAME]


def _escaped(text: str) -> str:
    """The text with what no column keeps written as an escape."""
    return NOT_KEPT.sub(lambda odd: f"\\u{ord(odd[0]):04x}", text)


def fingerprint_of(*parts: object) -> int:
    """64 bits over values whose `repr` says it all."""
    digest = hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is not the same here, and why."""

    kind: str
    key: str
    name: str
    outcome: Outcome
    why: str


@dataclass(slots=True)
class Batch:
    """Objects that are new or changed, to be written in the present transaction."""

    source: ImportSource
    kind: str
    items: Sequence[Item]
    targets: dict[str, int | None] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def done(self, item: Item, target: int | None = None) -> None:
        """The object is here now, as the row with this key, where there is one row."""
        self.targets[item.key] = target

    def mapped(self, item: Item, why: str, part: str = "") -> None:
        """The object, or a named part of it, is here in a way that is near to what it was."""
        self._note(item, part, "mapped", why)

    def impossible(self, item: Item, why: str, part: str = "") -> None:
        """The object, or a named part of it, cannot be here. It need not be `done` beside this."""
        self._note(item, part, "impossible", why)

    def _note(self, item: Item, part: str, outcome: Outcome, why: str) -> None:
        name = item.name or item.key
        told = storable(f"{name}: {part}" if part else name)
        self.notes.append(Note(self.kind, item.key, told, outcome, _escaped(why)))

    def find(self, kind: str, keys: Collection[str]) -> dict[str, int]:
        """What objects of another kind became here, by their keys; those that are not here are left out."""
        return find(self.source, kind, keys)

    def of_lists(self) -> Iterator[tuple[Item, int]]:
        """Items that have the key of a list, with the list's key here; those whose list is not here are told of."""
        here = self.find("lists", [item.key for item in self.items])
        alive = set(MailingList.objects.filter(pk__in=here.values()).values_list("pk", flat=True))
        for item in self.items:
            if here.get(item.key) in alive:
                yield item, here[item.key]
            else:
                self.impossible(item, "its list is not here")


def find(source: ImportSource, kind: str, keys: Collection[str]) -> dict[str, int]:
    """What objects of a kind became here, by their keys in the source."""
    rows = ImportedObject.objects.filter(source=source, kind=kind, target__isnull=False)
    return {
        key: target
        for some in chunks(list(keys))
        for key, target in rows.filter(key__in=some).values_list("key", "target")
        if target is not None
    }


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Values in pieces that fit into one query."""
    return (values[start : start + MOST_PARAMETERS] for start in range(0, len(values), MOST_PARAMETERS))


@dataclass(frozen=True, slots=True)
class Step:
    """Brings in all objects of one kind. Steps run in the order of their tuple; a later one may `find` an earlier's."""

    kind: str
    """The objects' name in the plural, as the report has it: `members`. At most 40 characters."""
    read: Callable[[], Iterable[Item]]
    """The objects, streamed, in an order of their own."""
    write: Callable[[Batch], None]
    """Writes a batch by the verbs of slices and calls `done` for what is here; may raise for a bad object."""
    count: Callable[[], int] | None = None
    """How many there are, for the progress bar."""
    weigh: Callable[[Sequence[Item]], None] | None = None
    """Tells the octets of objects that are new or changed, where `fetch` may bring many."""
    fetch: Callable[[Sequence[Item]], None] | None = None
    """Puts into the `data` of objects that are new or changed what is too heavy to be read of all."""
    prepare: Callable[[list[Any]], list[Any]] | None = None
    """Makes of many `data` what `write` gets; a function of a module, called in other processes with `--jobs`."""
    rows: Rows | None = None
    """The table of its targets, where people may remove or change here what came."""
    remove: Callable[[Sequence[int]], None] | None = None
    """Takes away rows whose objects are gone from the source; without it they stay."""
    lasting: bool = False
    """Such objects rarely go: a source without most of them is taken for damaged, unless somebody says otherwise."""
    spared: Callable[[str], bool] | None = None
    """By its key, whether the source cannot tell of an object just now, so that it counts as there."""
    size: int = 500
    """Objects of a batch, unless they hold too much together."""


def batches(items: Iterable[T], size: int, octets: Callable[[T], int] = lambda _: 0) -> Iterator[list[T]]:
    """Objects in lists of at most `size`, which end earlier where their octets would become too many together."""
    batch: list[T] = []
    held = 0
    for item in items:
        more = octets(item)
        if batch and (len(batch) == size or held + more > MOST_OCTETS):
            yield batch
            batch, held = [], 0
        batch.append(item)
        held += more
    if batch:
        yield batch
