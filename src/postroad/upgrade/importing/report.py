"""The difference report: what is the same here, what is mapped, what is not possible and why; text, HTML, JSON.

It is told in pieces, for there may be a note about each of a site's objects.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from textwrap import indent
from types import MappingProxyType

from postroad.upgrade.importing.on_disk import OnDisk, scratch

Note = tuple[str, str, str, str]
"""Kind, name, `mapped`, `impossible` or `removed`, why."""
Clash = tuple[str, str, str, str, str]
"""Kind, name, setting or other part, which it was here, which it is now."""
_SHOWN = 5
"""Names of one group that are shown; JSON has all of them."""


@dataclass(slots=True)
class Kind:
    """What one run did with the objects of a kind."""

    kind: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    """Taken away, as the source has them no more."""
    gone_here: int = 0
    """Still there in the source, and removed here by somebody."""
    refused: int = 0
    """Objects that could not be written; the notes say why."""

    @property
    def here(self) -> int:
        """How many of the source's objects are here now."""
        return self.new + self.changed + self.unchanged


@dataclass(frozen=True, slots=True)
class Group:
    """Notes of one kind that have the same outcome and reason."""

    kind: str
    outcome: str
    why: str
    names: list[str]
    """The first few."""
    count: int

    @property
    def named(self) -> str:
        """Whom it is about."""
        more = f" … and {self.count - _SHOWN:,} more" if self.count > _SHOWN else ""
        return ", ".join(self.names) + more


class Notes:
    """Everything that is not the same, in the order in which it was found; kept on disk."""

    def __init__(self) -> None:
        self._rows = scratch("note (at INTEGER PRIMARY KEY, kind TEXT, name TEXT, outcome TEXT, why TEXT)")
        self._rows.execute("CREATE INDEX note_group ON note (kind, outcome, why)")

    def add(self, notes: Iterable[Note]) -> None:
        """Keep more."""
        self._rows.executemany("INSERT INTO note (kind, name, outcome, why) VALUES (?, ?, ?, ?)", notes)

    def __iter__(self) -> Iterator[Note]:
        return iter(self._rows.execute("SELECT kind, name, outcome, why FROM note ORDER BY at"))

    def __len__(self) -> int:
        return int(self._rows.execute("SELECT count(*) FROM note").fetchone()[0])

    def counts(self) -> dict[tuple[str, str], int]:
        """How many there are of each kind and outcome."""
        rows = self._rows.execute("SELECT kind, outcome, count(*) FROM note GROUP BY kind, outcome")
        return {(kind, outcome): count for kind, outcome, count in rows}

    def grouped(self) -> Iterator[Group]:
        """Those of one kind that have the same outcome and reason, together."""
        groups = self._rows.execute(
            "SELECT kind, outcome, why, count(*) FROM note GROUP BY kind, outcome, why ORDER BY min(at)"
        )
        for kind, outcome, why, count in groups:
            names = self._rows.execute(
                "SELECT name FROM note WHERE kind = ? AND outcome = ? AND why = ? ORDER BY at LIMIT ?",
                (kind, outcome, why, _SHOWN),
            )
            yield Group(kind, outcome, why, [name for (name,) in names], count)


@dataclass(slots=True)
class Report:
    """What a run of an importer came to."""

    source: str
    dry_run: bool = False
    kinds: list[Kind] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    clashes: OnDisk[int, Clash] = field(default_factory=OnDisk)
    """Values that were changed here and there."""

    def add_clashes(self, clashes: Iterable[Clash]) -> None:
        """Keep these."""
        for clash in clashes:
            self.clashes[len(self.clashes)] = clash

    @property
    def exit_code(self) -> int:
        """0 everything is here, 1 done with findings."""
        findings = any(outcome != "mapped" for _, outcome in self.notes.counts())
        return 1 if findings or self.clashes else 0

    def rows(self) -> Iterator[tuple[Kind, Sequence[int]]]:
        """The table: of each kind, the figures of its columns."""
        counts = self.notes.counts()
        clashes = Counter(kind for kind, *_ in self.clashes.values())
        for k in self.kinds:
            mapped, impossible = counts.get((k.kind, "mapped"), 0), counts.get((k.kind, "impossible"), 0)
            yield k, (k.here, k.new, k.changed, k.unchanged, k.removed, k.gone_here, clashes[k.kind], mapped,
                      impossible)  # fmt: skip

    @property
    def headline(self) -> str:
        """One sentence."""
        what = "Plan (nothing was changed)" if self.dry_run else "Imported"
        return f"{what}: {self.source}"


_COLUMNS = (
    "kind", "here", "new", "changed", "unchanged", "gone there", "gone here", "clashes", "mapped", "not possible",
)  # fmt: skip
_OUTCOMES = {"mapped": "mapped", "impossible": "not possible", "removed": "not here"}
_CLASHES = "Changed here and there since it came; what the old site says counts:"
_LONGEST_VALUE = 200


def _short(value: str) -> str:
    """A value as text and page show it; JSON has all of it."""
    line = " ".join(value.split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]} … (whole in --report FILE.json)"


def as_text(report: Report) -> Iterator[str]:
    """For people at a terminal."""
    yield f"{report.headline}\n\n{_COLUMNS[0]:26}" + "".join(f"{name:>13}" for name in _COLUMNS[1:]) + "\n"
    for kind, numbers in report.rows():
        yield f"{kind.kind:26}" + "".join(f"{number:>13,}" for number in numbers) + "\n"
    if report.clashes:
        yield f"\n{_CLASHES}\n"
    for kind_, name, part, was, now in report.clashes.values():
        yield f"  {kind_}: {name}: {part}\n      here it was: {_short(was)}\n      it is now:   {_short(now)}\n"
    if report.notes:
        yield "\nNot the same as it was (everything else is):\n"
    for group in report.notes.grouped():
        yield f"  {group.kind}: {group.named}\n      {_OUTCOMES[group.outcome]}: {group.why}\n"


def as_json(report: Report) -> Iterator[str]:
    """For programs."""
    kinds = [
        {**asdict(kind), "here": kind.here, "clashes": clashes, "mapped": mapped, "impossible": impossible}
        for kind, (*_, clashes, mapped, impossible) in report.rows()
    ]
    head = json.dumps(
        {"source": report.source, "dry_run": report.dry_run, "kinds": kinds}, indent=2, ensure_ascii=False
    )
    yield head.removesuffix("\n}") + ',\n  "differences": ['
    between = "\n"
    for note in report.notes:
        yield between + _json_of(("kind", "name", "outcome", "why"), note)
        between = ",\n"
    yield '\n  ],\n  "clashes": ['
    between = "\n"
    for clash in report.clashes.values():
        names = ("kind", "name", "part", "here_it_was", "it_is", "counts")
        yield between + _json_of(names, (*clash, "the source's"))
        between = ",\n"
    yield "\n  ]\n}\n"


def _json_of(names: Sequence[str], values: Sequence[str]) -> str:
    told = dict(zip(names, values, strict=True))
    return indent(json.dumps(told, indent=2, ensure_ascii=False), "    ")


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;"
    "padding:0 1rem}h1{overflow-wrap:anywhere}div{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #8886;vertical-align:top;overflow-wrap:break-word}td.n,th.n{text-align:right}"
)

_TABLE = '<div role="region" aria-label="{}" tabindex="0"><table>'
"""On a phone a table is moved sideways by itself, with keys too."""


def as_html(report: Report) -> Iterator[str]:
    """A page of its own, without script and without anything from elsewhere."""
    head = "".join(f'<th scope="col"{" class=n" if i else ""}>{name}</th>' for i, name in enumerate(_COLUMNS))
    counts = "".join(
        f'<tr><th scope="row">{escape(kind.kind)}</th>{"".join(f"<td class=n>{n:,}</td>" for n in numbers)}</tr>'
        for kind, numbers in report.rows()
    )
    title = escape(report.headline)
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"{_TABLE.format('How many of each kind')}<thead><tr>{head}</tr></thead><tbody>{counts}</tbody></table></div>"
    )
    yield from _clashes_as_html(report)
    if not report.notes:
        yield "<p>Everything is the same as it was.</p></body></html>\n"
        return
    yield (
        f"<h2>Not the same as it was</h2>{_TABLE.format('Not the same as it was')}"
        "<thead><tr><th scope=col>kind</th><th scope=col>what</th>"
        "<th scope=col>here it is</th><th scope=col>why</th></tr></thead><tbody>"
    )
    for group in report.notes.grouped():
        yield (
            f"<tr><td>{escape(group.kind)}</td><td>{escape(group.named)}</td><td>{_OUTCOMES[group.outcome]}</td>"
            f"<td>{escape(group.why)}</td></tr>"
        )
    yield "</tbody></table></div></body></html>\n"


def _clashes_as_html(report: Report) -> Iterator[str]:
    if not report.clashes:
        return
    title = _CLASHES.rstrip(":")
    yield f"<h2>{title}</h2>{_TABLE.format(title)}<thead><tr>"
    yield "".join(f"<th scope=col>{name}</th>" for name in ("kind", "what", "part", "here it was", "it is now"))
    yield "</tr></thead><tbody>"
    for clash in report.clashes.values():
        yield f"<tr>{''.join(f'<td>{escape(_short(value))}</td>' for value in clash)}</tr>"
    yield "</tbody></table></div>"


FORMATS: Mapping[str, Callable[[Report], Iterable[str]]] = MappingProxyType(
    {"txt": as_text, "html": as_html, "json": as_json}
)
"""By the ending of the file a report is written to."""
