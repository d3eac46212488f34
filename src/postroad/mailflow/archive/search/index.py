"""The index itself: rows of words beside the mails, written in the transaction that archives, asked newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from postroad.mailflow.archive.search.analyser import tokens
from postroad.mailflow.archive.search.query import Query, Term

COUNTED = 2000
"""Matches are counted up to here."""


@dataclass(frozen=True, slots=True)
class Found:
    """Keys of the mails on one page of results, newest first, and how many there are (at most `COUNTED`)."""

    mails: list[int]
    total: int


def add(rows: Sequence[tuple[int, int, str, str, str]]) -> None:
    """Index mails: key of the mail, key of its list, subject, sender, text."""
    prepared = [
        (mail, f"l{owner}", " ".join(tokens(subject)), " ".join(tokens(sender)), " ".join(tokens(text)))
        for mail, owner, subject, sender, text in rows
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.executemany(
                "INSERT INTO archive_search (mail_id, words) VALUES (%s,"
                " setweight(array_to_tsvector(ARRAY[%s]), 'D') || setweight(to_tsvector('simple', %s), 'A') ||"
                " setweight(to_tsvector('simple', %s), 'B') || setweight(to_tsvector('simple', %s), 'C'))",
                [(mail, scope, subject, sender, text[:500_000]) for mail, scope, subject, sender, text in prepared],
            )
        else:
            cursor.executemany(
                "INSERT INTO archive_search (rowid, scope, subject, sender, body) VALUES (%s, %s, %s, %s, %s)", prepared
            )


def search(query: Query, lists: Sequence[int], start: int, count: int) -> Found:
    """A page of the newest matches in these lists."""
    if query.is_empty or not lists:
        return Found([], 0)
    ids = _postgresql(query, lists) if connection.vendor == "postgresql" else _sqlite(query, lists)
    return Found(ids[start : start + count], len(ids))


def _dates(query: Query) -> tuple[str, list[datetime]]:
    """Conditions on the mail's date, where they are asked for."""
    conditions = ""
    parameters: list[datetime] = []
    if query.before is not None:
        conditions += " AND m.date < %s"
        parameters.append(query.before)
    if query.after is not None:
        conditions += " AND m.date >= %s"
        parameters.append(query.after)
    return conditions, parameters


def _sqlite(query: Query, lists: Sequence[int]) -> list[int]:
    scope = " OR ".join(f'"l{pk}"' for pk in lists)
    wanted = " AND ".join(_fts(term) for term in query.terms if not term.excluded)
    unwanted = "".join(f" NOT {_fts(term)}" for term in query.terms if term.excluded)
    match = f"((scope : ({scope})) AND {wanted}){unwanted}"
    conditions, parameters = _dates(query)
    join = "JOIN archive_mail m ON m.id = s.rowid" if conditions else ""
    sql = (
        f"SELECT s.rowid FROM archive_search s {join} WHERE archive_search MATCH %s{conditions}"  # noqa: S608
        " ORDER BY s.rowid DESC LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [match, *parameters, COUNTED])
        return [row[0] for row in cursor.fetchall()]


def _fts(term: Term) -> str:
    """One term in FTS5's language; tokens hold no quotes, they come from the analyser."""
    phrase = '"' + " ".join(term.words) + '"'
    return f"({term.column or '{subject sender body}'} : {phrase})"


def _postgresql(query: Query, lists: Sequence[int]) -> list[int]:
    scope = "(" + " | ".join(f"'l{pk}':D" for pk in lists) + ")"
    wanted = " & ".join(_tsquery(term) for term in query.terms if not term.excluded)
    unwanted = "".join(f" & !{_tsquery(term)}" for term in query.terms if term.excluded)
    conditions, parameters = _dates(query)
    join = "JOIN archive_mail m ON m.id = s.mail_id" if conditions else ""
    sql = (
        f"SELECT s.mail_id FROM archive_search s {join} WHERE s.words @@ %s::tsquery{conditions}"  # noqa: S608
        " ORDER BY s.mail_id DESC LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [f"{scope} & {wanted}{unwanted}", *parameters, COUNTED])
        return [row[0] for row in cursor.fetchall()]


def _tsquery(term: Term) -> str:
    weight = {"subject": ":A", "sender": ":B"}.get(term.column, ":ABC")
    return "(" + " <-> ".join(f"'{word}'{weight}" for word in term.words) + ")"
