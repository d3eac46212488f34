"""Which of the objects that earlier runs brought a run has met again: a bit for each, so that none are too many."""

from collections.abc import Iterator

from django.db.models import Count, Max, Min, QuerySet

from postroad.upgrade.importing.models import ImportedObject
from postroad.upgrade.importing.plan import MOST_PARAMETERS

Gone = tuple[int, str, int | None]
"""Key of the row that remembers an object, its key in the source, and what it had become here."""


class Seen:
    """The rows that were there when a step began; newer ones are of this run."""

    def __init__(self, rows: "QuerySet[ImportedObject]") -> None:
        found = rows.aggregate(first=Min("pk"), last=Max("pk"), brought=Count("pk"))
        self._first, self._last = found["first"] or 0, found["last"] or 0
        self._bits = bytearray((self._last - self._first) // 8 + 1)
        self._count = 0
        self.brought: int = found["brought"]
        """How many there were."""

    def add(self, pk: int) -> None:
        """An object of this row is still in the source."""
        if pk <= self._last and not self._has(pk):
            byte, bit = self._place(pk)
            self._bits[byte] |= bit
            self._count += 1

    def gone(self, rows: "QuerySet[ImportedObject]") -> Iterator[list[Gone]]:
        """What no longer is, in pieces that fit into one query; each piece may be deleted before the next is asked."""
        if rows.filter(pk__lte=self._last).count() == self._count:
            return
        last = ""
        while True:
            piece = list(rows.filter(key__gt=last).order_by("key").values_list("pk", "key", "target")[:MOST_PARAMETERS])
            if not piece:
                return
            last = piece[-1][1]
            gone = [row for row in piece if row[0] <= self._last and not self._has(row[0])]
            if gone:
                yield gone

    def _has(self, pk: int) -> bool:
        byte, bit = self._place(pk)
        return bool(self._bits[byte] & bit)

    def _place(self, pk: int) -> tuple[int, int]:
        """The byte and the bit in it that stand for a row."""
        return (pk - self._first) // 8, 1 << (pk - self._first) % 8
