"""What people type into the search field, understood; the page `archive/search_help.html` explains it to them."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from postroad.mailflow.archive.search.analyser import tokens

_TERM = re.compile(r"(-)?(?:(from|subject|before|after|list|has):)?(?:\"([^\"]*)\"?|(\S+))", re.IGNORECASE)
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
    has_attachment: bool | None = None
    lists: list[tuple[str, bool]] = field(default_factory=list)
    """Parts of lists' names, and whether those lists are left out."""
    misread: list[str] = field(default_factory=list)
    """Dates and kinds that could not be understood, to be told."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked that could be found."""
        filters = (self.before, self.after, self.has_attachment)
        return all(term.excluded for term in self.terms) and filters == (None, None, None)

    @property
    def words(self) -> set[str]:
        """Every word that is looked for, to mark it in results."""
        return {word for term in self.terms if not term.excluded for word in term.words}

    def is_of(self, list_id: str) -> bool:
        """Whether this list is to be searched: any of those wanted, none of those left out."""
        wanted = [name for name, excluded in self.lists if not excluded]
        unwanted = [name for name, excluded in self.lists if excluded]
        return (not wanted or any(_names(n, list_id) for n in wanted)) and not any(_names(n, list_id) for n in unwanted)


def _names(name: str, list_id: str) -> bool:
    name = name.lower().replace("@", ".")
    return list_id == name or list_id.startswith(name + ".")


def parse(text: str) -> Query:
    """Understand a search; whatever does not fit is taken as words, and told where it was meant to be more."""
    query = Query()
    for match in list(_TERM.finditer(text[:500]))[:MOST_TERMS]:
        minus, name, phrase, word = match.groups()
        value, name = phrase if phrase is not None else word, (name or "").lower()
        if name == "list":
            query.lists.append((value, bool(minus)))
        elif name == "has" and value.lower() in ("attachment", "attachments"):
            query.has_attachment = not minus
        elif name in ("before", "after") and (date := _date(value)) is not None:
            setattr(query, name, date)
        elif name in ("before", "after", "has"):
            query.misread.append(f"{name}:{value}")
        elif words := tuple(tokens(value)):
            query.terms.append(Term(words, {"from": "sender", "subject": "subject"}.get(name, ""), bool(minus)))
    return query


def _date(value: str) -> datetime | None:
    match = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", value, re.ASCII)
    if match is None:
        return None
    try:
        return datetime(int(match[1]), int(match[2] or 1), int(match[3] or 1), tzinfo=UTC)
    except ValueError:
        return None
