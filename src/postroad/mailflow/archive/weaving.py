"""Puts a batch of mails into their conversations, in memory; `rows.py` reads what that needs and writes what came out.

A mail stands below the nearest mail it refers to. What it refers to and is not there is awaited: when it comes, it
takes its place above. Where two conversations turn out to be one, the smaller moves: a mail costs the same in a
conversation of any size.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from postroad.mailflow.archive.reading import subject_of_thread

MOST_AWAITED = 10
"""Missing mails that one mail waits for: the nearest."""

MOST_STEPS = 1000
"""Mails upwards that are looked at for a ring; beyond, a ring is supposed."""


@dataclass(slots=True, eq=False)
class Strand:
    """A conversation being changed."""

    pk: int
    key: str
    subject: str
    first_at: datetime
    last_at: datetime
    count: int
    starter: str
    last_by: str
    is_new: bool = False
    is_changed: bool = False
    merged_into: "Strand | None" = None

    def final(self) -> "Strand":
        """The conversation this one is part of by now."""
        strand = self
        while strand.merged_into is not None:
            strand = strand.merged_into
        return strand


@dataclass(slots=True, eq=False)
class Node:
    """A mail's place: its conversation and the mail above it."""

    pk: int
    hash: str
    strand: Strand
    parent: int | None
    is_new: bool = False
    is_moved: bool = False


@dataclass(slots=True, eq=False)
class Wait:
    """`node` waits for the mail with this hash."""

    hash: str
    node: Node
    nearness: int
    pk: int | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Comer:
    """A mail to be placed."""

    pk: int
    hash: str
    refers_to: Sequence[str]
    subject: str
    author: str
    date: datetime


@dataclass(slots=True)
class Weave:
    """The conversations around a batch of mails."""

    next_strand: Callable[[], int]
    """Gives the key of a new conversation's row."""
    way_up: Callable[[int], Mapping[int, int | None]]
    """Which mail stands above one that is stored and not loaded, above that one, and so on for a while."""
    nodes: dict[str, Node] = field(default_factory=dict)
    waits: dict[str, list[Wait]] = field(default_factory=dict)
    _by_pk: dict[int, Node] = field(default_factory=dict)
    _of_node: dict[int, list[Wait]] = field(default_factory=dict)
    _stored: dict[int, int | None] = field(default_factory=dict)
    """Ways up that were asked for."""

    def know(self, node: Node) -> None:
        """Take in a mail's place."""
        self.nodes[node.hash] = node
        self._by_pk[node.pk] = node

    def expect(self, wait: Wait) -> None:
        """Take in that a mail waits for another."""
        self.waits.setdefault(wait.hash, []).append(wait)
        self._of_node.setdefault(wait.node.pk, []).append(wait)

    def every_wait(self) -> list[Wait]:
        """All that was or is waited for."""
        return [wait for waits in self._of_node.values() for wait in waits]

    def place(self, comer: Comer) -> Node:
        """Give a mail its place."""
        known = [
            i for i, reference in enumerate(comer.refers_to) if reference in self.nodes and reference != comer.hash
        ]
        nearest = known[-1] if known else -1
        parent = self.nodes[comer.refers_to[nearest]] if known else None
        waiting = [
            w for w in self.waits.pop(comer.hash, ())
            if not w.is_over and (parent is None or not self._is_below(parent, w.node))
        ]  # fmt: skip
        if parent is not None:
            strand = parent.strand.final()
        elif waiting:
            strand = waiting[0].node.strand.final()
        else:
            strand = self._begin(comer)
        node = Node(comer.pk, comer.hash, strand, parent.pk if parent else None, is_new=True)
        self.know(node)
        _grow(strand, comer, is_root=parent is None)
        missing = [i for i in range(nearest + 1, len(comer.refers_to)) if comer.refers_to[i] != comer.hash]
        for i in missing[-MOST_AWAITED:]:
            self.expect(Wait(comer.refers_to[i], node, i))
        for wait in waiting:
            self._adopt(node, wait)
        return node

    def _begin(self, comer: Comer) -> Strand:
        return Strand(
            self.next_strand(), comer.hash, subject_of_thread(comer.subject), comer.date, comer.date, 0, comer.author,
            comer.author, is_new=True,
        )  # fmt: skip

    def _is_below(self, node: Node, other: Node) -> bool:
        """Whether `node` stands below `other`, so that `other` must not become its reply: References in a ring."""
        if node.strand.final() is not other.strand.final() or other.parent == node.pk:
            return False
        pk: int | None = node.pk
        seen: set[int] = set()
        while pk is not None and pk not in seen:
            if pk == other.pk:
                return True
            seen.add(pk)
            pk = self._above(pk)
            if len(seen) > MOST_STEPS:
                return True
        return False

    def _above(self, pk: int) -> int | None:
        if pk in self._by_pk:
            return self._by_pk[pk].parent
        if pk not in self._stored:
            self._stored |= self.way_up(pk)
        return self._stored.get(pk)

    def _adopt(self, node: Node, wait: Wait) -> None:
        """Make the mail that waited a reply, and the two conversations one."""
        child = wait.node
        child.parent, child.is_moved = node.pk, True
        for other in self._of_node.get(child.pk, ()):
            other.is_over = other.is_over or other.nearness <= wait.nearness
        mine, its = node.strand.final(), child.strand.final()
        if mine is not its:
            _merge(mine, its)


def _grow(strand: Strand, comer: Comer, *, is_root: bool) -> None:
    if is_root and comer.date <= strand.first_at:
        strand.subject, strand.starter = subject_of_thread(comer.subject), comer.author
    if comer.date >= strand.last_at:
        strand.last_at, strand.last_by = comer.date, comer.author
    strand.first_at = min(strand.first_at, comer.date)
    strand.count += 1
    strand.is_changed = True


def _merge(upper: Strand, lower: Strand) -> None:
    """One conversation of two; the bigger keeps its row and key, the upper gives subject and starter."""
    into, source = (upper, lower) if upper.count >= lower.count else (lower, upper)
    into.subject, into.starter = upper.subject, upper.starter
    if source.last_at > into.last_at:
        into.last_at, into.last_by = source.last_at, source.last_by
    into.first_at = min(into.first_at, source.first_at)
    into.count += source.count
    into.is_changed = True
    source.merged_into = into
