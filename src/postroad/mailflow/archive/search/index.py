"""The index itself: rows of words beside the mails, written in the transaction that archives, asked newest first."""
# ruff: noqa: S608 — names of tables and columns are ours, never the reader's

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction

from postroad.mailflow.archive.search.query import Query, Term

COUNTED = 2000
"""Matches are counted up to here: the newest on PostgreSQL; on SQLite, where the index knows no dates, those archived
last, which are then put in the order of their dates."""
RANKED = 5000
"""Of so many matches those that fit best are chosen, again the ones archived last: a score costs more than a match."""

PATIENCE = 250
"""Milliseconds that PostgreSQL may take for a search before it must go another way."""
_CANCELLED = "57014"
IN_MEMORY = 1.1
"""What a page costs beside the next one, by PostgreSQL's reckoning: as for a disk, 4, it would rather take each mail's
words out of the whole table than of 2,000 mails, the newest first."""

TABLE = "archive_search"
NEXT = "archive_search_next"
"""The index that a rebuild makes; see `rebuilding.py`."""
_LONGEST_COLUMN = 500_000
_NEWEST = "date DESC NULLS LAST, mail_id DESC"
"""On PostgreSQL. An index of a release that kept no dates has none, until it is built anew."""


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
    begin(table)
    complete(table)


def begin(table: str) -> None:
    """An index to be filled before it is completed."""
    if connection.vendor == "postgresql":
        statements = [
            f"CREATE TABLE {table} (mail_id bigint PRIMARY KEY, date timestamptz, words tsvector NOT NULL)",
            f"CREATE INDEX {table}_dates ON {table} ({_NEWEST})",
        ]
    else:
        tokens = "unicode61 remove_diacritics 0"
        # FTS5 writes two octets more for a word that is not in the first column, and nearly every word is in the body:
        # a third less of an index.
        statements = [
            f"CREATE VIRTUAL TABLE {table} USING fts5(body, subject, sender, scope, content='', tokenize='{tokens}')"
        ]
    _execute(statements)


def complete(table: str) -> None:
    """What lets an index be searched, if it is not there: made of all rows at once, GIN is two fifths as large."""
    if connection.vendor == "postgresql":
        _execute([f"CREATE INDEX IF NOT EXISTS {table}_words ON {table} USING gin (words)"])


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
            f"ALTER INDEX {NEXT}_dates RENAME TO {TABLE}_dates",
        ]
    _execute(statements)


def _execute(statements: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def add(rows: Sequence[Row], table: str = TABLE) -> None:
    """Index mails, whose rows are there, in the present transaction."""
    if connection.vendor == "postgresql":
        sql = (
            f"INSERT INTO {table} (mail_id, date, words) VALUES (%s, (SELECT date FROM archive_mail WHERE id = %s),"
            " setweight(array_to_tsvector(ARRAY[%s]), 'D') || setweight(to_tsvector('simple', %s), 'A')"
            " || setweight(to_tsvector('simple', %s), 'B') || setweight(to_tsvector('simple', %s), 'C'))"
        )
        values: list[tuple[Any, ...]] = [(row.mail, row.mail, *_texts(row)) for row in rows]
    else:
        sql = f"INSERT INTO {table} (rowid, scope, subject, sender, body) VALUES (%s, %s, %s, %s, %s)"
        values = [(row.mail, *_texts(row)) for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def _texts(row: Row) -> tuple[str, str, str, str]:
    """Scope, subject, sender and body."""
    return f"l{row.mailing_list}", row.subject, row.sender, row.body[:_LONGEST_COLUMN]


def remove(rows: Sequence[Row], table: str = TABLE) -> None:
    """Take mails out of the index in the present transaction; FTS5 must be told their words again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DELETE FROM {table} WHERE mail_id = ANY(%s)", [[row.mail for row in rows]])
        else:
            cursor.executemany(
                f"INSERT INTO {table} ({table}, rowid, scope, subject, sender, body)"
                " VALUES ('delete', %s, %s, %s, %s, %s)",
                [(row.mail, *_texts(row)) for row in rows],
            )


def search(query: Query, lists: Sequence[int], start: int, count: int, *, by_relevance: bool = False) -> Found:
    """A page of the matches in these lists: the newest first, or those that fit best."""
    if query.is_empty or not lists:
        return Found([], 0)
    if connection.vendor == "postgresql":
        sql, values = _on_postgresql(query, lists, by_relevance=by_relevance)
        # OFFSET 0: for both columns they are looked for once.
        page = f"SELECT keys[%s:%s], cardinality(keys) FROM (SELECT ARRAY({sql}) AS keys OFFSET 0) f"
        return Found(*_patiently(page, [start + 1, start + count, *values]))
    with connection.cursor() as cursor:
        cursor.execute(*_on_sqlite(query, lists, by_relevance=by_relevance))
        found = [row[0] for row in cursor.fetchall()]
    return Found(found[start : start + count], len(found))


def _patiently(sql: str, values: Sequence[Any]) -> tuple[Any, ...]:
    """What PostgreSQL finds by the way it chooses, and should that take long by looking up all words instead.

    It takes words to stand together by chance, and walks along the mails, the newest first, if each of them is common.
    If they never do, as a list and what another list is about, it would walk through the whole site.
    """
    try:
        with _undone_when_it_fails():
            return _row(sql, values, statement_timeout=PATIENCE, random_page_cost=IN_MEMORY)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != _CANCELLED:
            raise
    return _row(sql, values, enable_indexscan="off", enable_seqscan="off")


def _row(sql: str, values: Sequence[Any], **settings: float | str) -> tuple[Any, ...]:
    """The one row of a statement that is done under these settings of the connection, all of it in one message.

    If it fails, PostgreSQL takes the settings back with it.
    """
    begin = "".join(f"SET {name} = {value}; " for name, value in settings.items())
    end = "".join(f"; RESET {name}" for name in settings)
    with _values_in_the_text(), connection.cursor() as cursor:
        cursor.execute(f"{begin}{sql}{end}", values)
        for _ in settings:
            cursor.nextset()
        row: tuple[Any, ...] = cursor.fetchone()
    return row


@contextmanager
def _values_in_the_text() -> Iterator[None]:
    """A message of several statements takes no values beside it; and each search is planned for its own words.

    A plan kept from the first searches of a connection would be one for all: walk through mails, as for a common word,
    or look words up, as for a rare one.
    """
    from psycopg import ClientCursor

    connection.ensure_connection()
    driver: Any = connection.connection
    factory, driver.cursor_factory = driver.cursor_factory, ClientCursor
    try:
        yield
    finally:
        driver.cursor_factory = factory


def _undone_when_it_fails() -> AbstractContextManager[Any]:
    """A savepoint, where the caller has a transaction."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def _on_postgresql(query: Query, lists: Sequence[int], *, by_relevance: bool) -> tuple[str, list[Any]]:
    """What gives the keys in their order: the newest along the index of dates, or GIN's matches sorted."""
    of_mail, moments = _conditions(query)
    condition = f" AND mail_id IN (SELECT id FROM archive_mail WHERE {of_mail})" if of_mail else ""
    values = [_tsquery(query, lists), *moments]
    if not by_relevance:
        sql = f"SELECT mail_id FROM {TABLE} WHERE words @@ %s::tsquery{condition} ORDER BY {_NEWEST} LIMIT {COUNTED}"
        return sql, values
    inner = (
        f"SELECT mail_id, date, ts_rank(words, q.query) AS rank FROM {TABLE}, (SELECT %s::tsquery AS query) q"
        f" WHERE words @@ q.query{condition} ORDER BY mail_id DESC LIMIT {RANKED}"
    )
    return f"SELECT mail_id FROM ({inner}) f ORDER BY rank DESC, {_NEWEST} LIMIT {COUNTED}", values


def _on_sqlite(query: Query, lists: Sequence[int], *, by_relevance: bool) -> tuple[str, list[Any]]:
    """What gives the keys in their order; FTS5 walks from the mail archived last only."""
    of_mail, moments = _conditions(query)
    condition = f" AND {of_mail}" if of_mail else ""
    # Much for the subject, some for the sender, nothing for the scope.
    rank = f"bm25({TABLE}, 1, 4, 2, 0)" if by_relevance else "0"
    inner = (
        f"SELECT d.id, d.date, {rank} AS rank FROM {TABLE} s JOIN archive_mail d ON d.id = s.rowid"
        f" WHERE {TABLE} MATCH %s{condition} ORDER BY s.rowid DESC LIMIT {RANKED if by_relevance else COUNTED}"
    )
    sql = f"SELECT id FROM ({inner}) f ORDER BY rank, date DESC, id DESC LIMIT {COUNTED}"
    return sql, [_fts5(query, lists), *moments]


def _conditions(query: Query) -> tuple[str, list[str | None]]:
    """Conditions on the row of the mail itself, where they are asked for."""
    moment = connection.ops.adapt_datetimefield_value
    asked = [("date < %s", query.before), ("date >= %s", query.after)]
    chosen = [(condition, date) for condition, date in asked if date is not None]
    attachments = {None: [], True: ["attachments > 0"], False: ["attachments = 0"]}[query.has_attachment]
    return " AND ".join([*(condition for condition, _ in chosen), *attachments]), [moment(date) for _, date in chosen]


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
    """The search in PostgreSQL's language; a mail is looked at from left to right, and fewest have the words wanted."""
    scope = "(" + " | ".join(f"'l{pk}':D" for pk in lists) + ")"
    wanted = [_tsquery_term(term) for term in query.terms if not term.excluded]
    unwanted = [f"!{_tsquery_term(term)}" for term in query.terms if term.excluded]
    return " & ".join([*wanted, *unwanted, scope])


def _tsquery_term(term: Term) -> str:
    weight = {"subject": ":A", "sender": ":B"}.get(term.column, ":ABC")
    return "(" + " <-> ".join(f"'{word}'{weight}" for word in term.words) + ")"
