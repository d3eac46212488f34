"""What became of imported rows here since they came: values that were changed, and rows that were removed.

Of each value a row was given by its source, a digest is kept. A later run that writes the row again sees by them what
was changed here meanwhile: a value that the source left as it was stays as it is here, and one that was changed on
both sides becomes the source's and is told of.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from django.db.models import Exists, Model, OuterRef, QuerySet

from postroad.upgrade.importing.models import ImportedObject

Values = Mapping[str, Any]
_OCTETS = 4
"""Of a digest: what a chance likeness costs is one line of the report."""
_SECRET = ("password", "moderator_password")
_HIDDEN = "(not shown)"


@dataclass(frozen=True, slots=True)
class Rows:
    """The table in which the objects of a step get their rows, and what of a row people may change here."""

    model: type[Model]
    fields: tuple[str, ...] = ()
    read: Callable[[Collection[int]], dict[int, Values]] | None = None
    """The values of rows by their keys, where they are more than columns."""
    write: Callable[[int, Values], None] | None = None
    """Sets some of them again; with `read`."""

    def values(self, keys: Collection[int]) -> dict[int, Values]:
        """What of these rows people may change, by key and name."""
        if self.read is not None:
            return self.read(keys)
        rows = self.model._default_manager.filter(pk__in=keys).values("pk", *self.fields) if self.fields else ()
        return {row.pop("pk"): row for row in rows}

    def put(self, key: int, values: Values) -> None:
        """Give a row these values."""
        if self.write is not None:
            self.write(key, values)
        else:
            self.model._default_manager.filter(pk=key).update(**values)

    def removed(self, brought: "QuerySet[ImportedObject]") -> set[int]:
        """Which of these records are of a row that is here no more."""
        rows = self.model._default_manager.filter(pk=OuterRef("target"))
        return set(brought.filter(~Exists(rows), target__isnull=False).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Clash:
    """A value that was changed here and in the source: which it was here, and which is the source's."""

    part: str
    here_it_was: str
    it_is: str


def digest_of(values: Values) -> bytes:
    """What is remembered of values: a few octets for each."""
    return b"".join(sorted(_digest(name, value) for name, value in values.items()))


def _digest(name: str, value: Any) -> bytes:
    return crc32(repr((name, value)).encode("utf-8", "surrogatepass")).to_bytes(_OCTETS)


def compare(was: Values, now: Values, digest: bytes) -> tuple[list[Clash], dict[str, Any]]:
    """What a row was here and what its source has just made of it: the clashes, and values that stay as they were.

    `digest` is of what its source had made of it before.
    """
    before = {digest[at : at + _OCTETS] for at in range(0, len(digest), _OCTETS)}
    clashes, stay = [], {}
    for name, value in was.items():
        if name not in now or value == now[name] or _digest(name, value) in before:
            continue
        if _digest(name, now[name]) in before:
            stay[name] = value
        else:
            clashes.append(Clash(name, _shown(name, value), _shown(name, now[name])))
    return clashes, stay


def _shown(name: str, value: Any) -> str:
    if name in _SECRET:
        return _HIDDEN
    if isinstance(value, list | tuple):
        return ", ".join(str(entry) for entry in value)
    return str(value)
