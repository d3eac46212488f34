"""What people type into the search field, understood: words, "phrases", -not, from:, subject:, before:, after:."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from postroad.mailflow.archive.search.analyser import tokens

_TERM = re.compile(r"(-)?(?:(from|subject|before|after):)?(?:\"([^\"]*)\"?|(\S+))", re.IGNORECASE)
MOST_TERMS = 20


@dataclass(slots=True)
class Term:
    """Words that stand behind each other, in the whole mail or in one field."""

    words: tuple[str, ...]
    column: str = ""
    excluded: bool = False


@dataclass(slots=True)
class Query:
    """A search, ready for either database."""

    terms: list[Term] = field(default_factory=list)
    before: datetime | None = None
    after: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked that could be found."""
        return not any(not term.excluded for term in self.terms)

    @property
    def words(self) -> set[str]:
        """Every word that is looked for, to mark it in results."""
        return {word for term in self.terms if not term.excluded for word in term.words}


def parse(text: str) -> Query:
    """Understand a search; whatever does not fit is taken as words."""
    query = Query()
    for match in list(_TERM.finditer(text[:500]))[:MOST_TERMS]:
        minus, name, phrase, word = match.groups()
        value = phrase if phrase is not None else word
        column = {"from": "sender", "subject": "subject"}.get((name or "").lower(), "")
        date = _date(value) if (name or "").lower() in ("before", "after") else None
        if date is not None:
            setattr(query, str(name).lower(), date)
            continue
        words = tuple(tokens(value))
        if words:
            query.terms.append(Term(words, column, bool(minus)))
    return query


def _date(value: str) -> datetime | None:
    match = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", value)
    if match is None:
        return None
    try:
        return datetime(int(match[1]), int(match[2] or 1), int(match[3] or 1), tzinfo=UTC)
    except ValueError:
        return None
