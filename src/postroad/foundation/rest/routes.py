"""Finds the view behind an address: one walk through a tree of its parts, however many addresses there are.

Addresses are written as Django writes them (`lists/<str:list_id>/config`). A fixed part goes before a named one;
`<path:…>` takes everything that is left.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar

V = TypeVar("V")

_NAMED = re.compile(r"<(?P<kind>\w+):(?P<name>\w+)>")
Found: TypeAlias = tuple[V | None, dict[str, str]]


class _Node(Generic[V]):
    """What may follow after some parts of an address."""

    __slots__ = ("fixed", "named", "rest", "view")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node[V]] = {}
        self.named: list[tuple[str, Callable[[str], bool], _Node[V]]] = []
        self.rest: tuple[str, V] | None = None
        self.view: V | None = None


class Routes(Generic[V]):
    """Views by address; `kinds` are the words that a `<kind:name>` other than `str` and `path` may stand for."""

    def __init__(self, rows: Iterable[tuple[str, V]], kinds: Mapping[str, Sequence[str]]) -> None:
        """Build the tree.

        Raises:
            ValueError: two views have the same address.
        """
        self._root: _Node[V] = _Node()
        self._kinds = kinds
        for address, view in rows:
            self._add(address, view)

    def _add(self, address: str, view: V) -> None:
        node = self._root
        for part in address.split("/"):
            named = _NAMED.fullmatch(part)
            if named and named["kind"] == "path":
                node.rest = (named["name"], view)
                return
            node = self._named(node, named["kind"], named["name"]) if named else node.fixed.setdefault(part, _Node())
        if node.view is not None:
            raise ValueError(f"two views have the address {address}")
        node.view = view

    def _named(self, node: _Node[V], kind: str, name: str) -> _Node[V]:
        for known, _, there in node.named:
            if known == name:
                return there
        takes = bool if kind == "str" else frozenset(self._kinds[kind]).__contains__
        child: _Node[V] = _Node()
        node.named.append((name, takes, child))
        return child

    def find(self, path: str) -> Found[V]:
        """The view behind a path (`/3.1/lists`) and the named parts; no view when there is none."""
        return self._find(self._root, path[1:].split("/"), 0, {})

    def _find(self, node: _Node[V], parts: list[str], at: int, taken: dict[str, str]) -> Found[V]:
        if at == len(parts):
            return node.view, taken
        part = parts[at]
        child = node.fixed.get(part)
        if child is not None:
            found = self._find(child, parts, at + 1, taken)
            if found[0] is not None:
                return found
        for name, takes, following in node.named:
            if takes(part):
                found = self._find(following, parts, at + 1, {**taken, name: part})
                if found[0] is not None:
                    return found
        if node.rest is not None:
            name, view = node.rest
            rest = "/".join(parts[at:])
            if rest:
                return view, {**taken, name: rest}
        return None, taken
