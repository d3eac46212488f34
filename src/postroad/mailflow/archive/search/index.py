"""The index itself: rows of words beside the mails, written in the transaction that archives, asked newest first."""
# ruff: noqa: S608 — names of tables and columns are ours, never the reader's

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

from postroad.mailflow.archive.search.query import Query, Term

COUNTED = 2000
"""Matches are counted, and put in the order of their dates, up to here; those archived last are looked at first."""
RANKED = 5000
"""Of so many matches those that fit best are chosen, again the ones archived last: a score costs more than a match."""

TABLE = "archive_search"
NEXT = "archive_search_next"
"""The index that a rebuild makes; see `rebuilding.py`."""
_LONGEST_COLUMN = 500_000


@dataclass(frozen=True, slots=True)
class Row:
    """A mail's words, as `analyser.joined_tokens` gives them."""

    mail: int
    mailing_list: int
    subject: str
    sender: str
    body: str


@dataclass(frozen=True, slots=True)
class Found:
    """Keys of the mails on one page of results, and how many there are (at most `COUNTED`)."""

    mails: list[int]
    total: int


def create(table: str) -> None:
    """An empty index."""
    if connection.vendor == "postgresql":
        statements = [
            f"CREATE TABLE {table} (mail_id bigint PRIMARY KEY, words tsvector NOT NULL)",
            f"CREATE INDEX {table}_words ON {table} USING gin (words)",
        ]
    else:
        tokens = "unicode61 remove_diacritics 0"
        # FTS5 writes two octets more for a word that is not in the first column, and nearly every word is in the body:
        # a third less of an index.
        statements = [
            f"CREATE VIRTUAL TABLE {table} USING fts5(body, subject, sender, scope, content='', tokenize='{tokens}')"
        ]
    _execute(statements)


def drop(table: str) -> None:
    """Take an index away, if it is there."""
    _execute([f"DROP TABLE IF EXISTS {table}"])


def swap() -> None:
    """Put the next index in the place of the present one, in the present transaction."""
    statements = [f"DROP TABLE {TABLE}", f"ALTER TABLE {NEXT} RENAME TO {TABLE}"]
    if connection.vendor == "postgresql":
        statements += [
            f"ALTER INDEX {NEXT}_pkey RENAME TO {TABLE}_pkey",
            f"ALTER INDEX {NEXT}_words RENAME TO {TABLE}_words",
        ]
    _execute(statements)


def _execute(statements: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def add(rows: Sequence[Row], table: str = TABLE) -> None:
    """Index mails in the present transaction."""
    if connection.vendor == "postgresql":
        sql = (
            f"INSERT INTO {table} (mail_id, words) VALUES (%s, setweight(array_to_tsvector(ARRAY[%s]), 'D')"
            " || setweight(to_tsvector('simple', %s), 'A') || setweight(to_tsvector('simple', %s), 'B')"
            " || setweight(to_tsvector('simple', %s), 'C'))"
        )
    else:
        sql = f"INSERT INTO {table} (rowid, scope, subject, sender, body) VALUES (%s, %s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.executemany(
            sql,
            [(row.mail, f"l{row.mailing_list}", row.subject, row.sender, row.body[:_LONGEST_COLUMN]) for row in rows],
        )


def remove(rows: Sequence[Row], table: str = TABLE) -> None:
    """Take mails out of the index in the present transaction; FTS5 must be told their words again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DELETE FROM {table} WHERE mail_id = ANY(%s)", [[row.mail for row in rows]])
        else:
            cursor.executemany(
                f"INSERT INTO {table} ({table}, rowid, scope, subject, sender, body)"
                " VALUES ('delete', %s, %s, %s, %s, %s)",
                [
                    (row.mail, f"l{row.mailing_list}", row.subject, row.sender, row.body[:_LONGEST_COLUMN])
                    for row in rows
                ],
            )


def search(query: Query, lists: Sequence[int], start: int, count: int, *, by_relevance: bool = False) -> Found:
    """A page of the matches in these lists: the newest first, or those that fit best."""
    if query.is_empty or not lists:
        return Found([], 0)
    if connection.vendor == "postgresql":
        key, condition, match, rank = (
            "mail_id",
            "s.words @@ q.query",
            _tsquery(query, lists),
            "-ts_rank(s.words, q.query)",
        )
        source = f"{TABLE} s CROSS JOIN (SELECT %s::tsquery AS query) q"
    else:
        # Much for the subject, some for the sender, nothing for the scope.
        key, condition, match, rank = "rowid", f"{TABLE} MATCH %s", _fts5(query, lists), f"bm25({TABLE}, 1, 4, 2, 0)"
        source = f"{TABLE} s"
    conditions, parameters = _conditions(query)
    # The dates are joined inside of the limit: PostgreSQL would read the whole table of mails outside of it.
    inner = (
        f"SELECT d.id, d.date, {rank if by_relevance else 0} AS rank"
        f" FROM {source} JOIN archive_mail d ON d.id = s.{key}"
        f" WHERE {condition}{conditions} ORDER BY s.{key} DESC LIMIT {RANKED if by_relevance else COUNTED}"
    )
    order = "f.rank, f.date DESC, f.id DESC" if by_relevance else "f.date DESC, f.id DESC"
    with connection.cursor() as cursor, _planned_for_its_words():
        cursor.execute(f"SELECT f.id FROM ({inner}) f ORDER BY {order} LIMIT {COUNTED}", [match, *parameters])
        found = [row[0] for row in cursor.fetchall()]
    return Found(found[start : start + count], len(found))


@contextmanager
def _planned_for_its_words() -> Iterator[None]:
    """No plan made before serves another search: mails are walked through for a common word, looked up for a rare one.

    PostgreSQL would settle on one way for all, whichever the first searches of a connection favoured.
    """
    if connection.vendor != "postgresql":
        yield
        return
    driver: Any = connection.connection
    threshold, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        yield
    finally:
        driver.prepare_threshold = threshold


def _conditions(query: Query) -> tuple[str, list[str | None]]:
    """Conditions on the mail itself, where they are asked for."""
    moment = connection.ops.adapt_datetimefield_value
    asked = [(" AND d.date < %s", query.before), (" AND d.date >= %s", query.after)]
    chosen = [(condition, date) for condition, date in asked if date is not None]
    attachments = {None: "", True: " AND d.attachments > 0", False: " AND d.attachments = 0"}[query.has_attachment]
    return "".join(condition for condition, _ in chosen) + attachments, [moment(date) for _, date in chosen]


def _fts5(query: Query, lists: Sequence[int]) -> str:
    """The search in FTS5's language; tokens hold no quotes, they come from the analyser."""
    scope = " OR ".join(f'"l{pk}"' for pk in lists)
    wanted = [f"(scope : ({scope}))", *(_fts5_term(term) for term in query.terms if not term.excluded)]
    unwanted = "".join(f" NOT {_fts5_term(term)}" for term in query.terms if term.excluded)
    return f"({' AND '.join(wanted)}){unwanted}"


def _fts5_term(term: Term) -> str:
    phrase = '"' + " ".join(term.words) + '"'
    return f"({term.column or '{subject sender body}'} : {phrase})"


def _tsquery(query: Query, lists: Sequence[int]) -> str:
    """The search in PostgreSQL's language."""
    scope = "(" + " | ".join(f"'l{pk}':D" for pk in lists) + ")"
    wanted = "".join(f" & {_tsquery_term(term)}" for term in query.terms if not term.excluded)
    unwanted = "".join(f" & !{_tsquery_term(term)}" for term in query.terms if term.excluded)
    return f"{scope}{wanted}{unwanted}"


def _tsquery_term(term: Term) -> str:
    weight = {"subject": ":A", "sender": ":B"}.get(term.column, ":ABC")
    return "(" + " <-> ".join(f"'{word}'{weight}" for word in term.words) + ")"
