"""The difference report: what is the same here, what is mapped, what is not possible and why; text, HTML, JSON."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from types import MappingProxyType


@dataclass(slots=True)
class Kind:
    """What one run did with the objects of a kind."""

    kind: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    refused: int = 0
    """Objects that could not be written; the notes say why."""

    @property
    def here(self) -> int:
        """How many of the source's objects are here now."""
        return self.new + self.changed + self.unchanged


@dataclass(slots=True)
class Report:
    """What a run of an importer came to. A note is (kind, name, `mapped` or `impossible`, why)."""

    source: str
    dry_run: bool = False
    kinds: list[Kind] = field(default_factory=list)
    notes: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def impossible(self) -> int:
        """How much is not here."""
        return sum(1 for note in self.notes if note[2] == "impossible")

    @property
    def exit_code(self) -> int:
        """0 everything is here, 1 done with findings."""
        return 1 if self.impossible else 0

    def differences(self, kind: str) -> tuple[int, int]:
        """How many notes of a kind say `mapped`, how many `impossible`."""
        outcomes = [outcome for of, _, outcome, _ in self.notes if of == kind]
        return outcomes.count("mapped"), outcomes.count("impossible")

    def rows(self) -> Iterator[tuple[str, int, int, int, int, int, int, int]]:
        """The table: kind, here, new, changed, unchanged, removed, mapped, not possible."""
        for k in self.kinds:
            yield (k.kind, k.here, k.new, k.changed, k.unchanged, k.removed, *self.differences(k.kind))

    def grouped(self) -> list[tuple[str, str, str, list[str]]]:
        """Differences of one kind that have the same outcome and reason, together: kind, outcome, why, names."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for kind, name, outcome, why in self.notes:
            groups.setdefault((kind, outcome, why), []).append(name)
        return [(*key, names) for key, names in groups.items()]

    @property
    def headline(self) -> str:
        """One sentence."""
        what = "Plan (nothing was changed)" if self.dry_run else "Imported"
        return f"{what}: {self.source}"


_COLUMNS = ("kind", "here", "new", "changed", "unchanged", "removed", "mapped", "not possible")
_SHOWN = 5
"""Names of one group that are shown."""
_OUTCOMES = {"mapped": "mapped", "impossible": "not possible"}


def as_text(report: Report) -> str:
    """For people at a terminal."""
    lines = [report.headline, "", f"{_COLUMNS[0]:26}" + "".join(f"{name:>13}" for name in _COLUMNS[1:])]
    for kind, *numbers in report.rows():
        lines.append(f"{kind:26}" + "".join(f"{number:>13,}" for number in numbers))
    if report.notes:
        lines += ["", "Not the same as it was (everything else is):"]
        for kind, outcome, why, names in report.grouped():
            lines += [f"  {kind}: {_named(names)}", f"      {_OUTCOMES[outcome]}: {why}"]
    return "\n".join(lines) + "\n"


def _named(names: Sequence[str]) -> str:
    """The first few by name; JSON has all of them."""
    more = f" … and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def as_json(report: Report) -> str:
    """For programs."""
    kinds = [
        {**asdict(k), "here": k.here, "mapped": differences[0], "impossible": differences[1]}
        for k in report.kinds
        for differences in [report.differences(k.kind)]
    ]
    notes = [dict(zip(("kind", "name", "outcome", "why"), note, strict=True)) for note in report.notes]
    shown = {"source": report.source, "dry_run": report.dry_run, "kinds": kinds, "differences": notes}
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;"
    "padding:0 1rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #8886;vertical-align:top;overflow-wrap:anywhere}td.n,th.n{text-align:right}"
)


def as_html(report: Report) -> str:
    """A page of its own, without script and without anything from elsewhere."""
    head = "".join(f'<th scope="col"{" class=n" if i else ""}>{name}</th>' for i, name in enumerate(_COLUMNS))
    counts = "".join(
        f'<tr><th scope="row">{escape(kind)}</th>{"".join(f"<td class=n>{n:,}</td>" for n in numbers)}</tr>'
        for kind, *numbers in report.rows()
    )
    notes = "".join(
        f"<tr><td>{escape(kind)}</td><td>{escape(_named(names))}</td><td>{_OUTCOMES[outcome]}</td>"
        f"<td>{escape(why)}</td></tr>"
        for kind, outcome, why, names in report.grouped()
    )
    differences = (
        "<h2>Not the same as it was</h2><table><thead><tr><th scope=col>kind</th><th scope=col>what</th>"
        f"<th scope=col>here it is</th><th scope=col>why</th></tr></thead><tbody>{notes}</tbody></table>"
        if notes
        else "<p>Everything is the same as it was.</p>"
    )
    title = escape(report.headline)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<table><thead><tr>{head}</tr></thead>"
        f"<tbody>{counts}</tbody></table>{differences}</body></html>\n"
    )


FORMATS: Mapping[str, Callable[[Report], str]] = MappingProxyType({"txt": as_text, "html": as_html, "json": as_json})
"""By the ending of the file a report is written to."""
