"""Puts mails into the index of words that are archived and not in it, a list or all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.reading import read
from postroad.mailflow.archive.search import index

BATCH = 200
"""Mails of one transaction."""


@dataclass(frozen=True, slots=True)
class _Lacking:
    mail: int
    mailing_list: int
    message: str


def lacking(mailing_list: int | None = None, table: str = index.TABLE) -> int:
    """How many archived mails are not in an index; of one list, by its key, or of all."""
    sql, values = _query("COUNT(*)", mailing_list, table)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.fetchone()[0])


def index_lacking(mailing_list: int | None = None, table: str = index.TABLE) -> Iterator[int]:
    """Add what is lacking; yields how many each committed batch had. A run that was stopped may begin anew."""
    last = 0
    while True:
        with transaction.atomic():
            batch = _next(mailing_list, last, table)
            if not batch:
                return
            _add(batch, table)
        last = batch[-1].mail
        yield len(batch)


def clear() -> None:
    """Make an empty index of this release's format in place of the one there is."""
    with transaction.atomic():
        index.drop(index.TABLE)
        index.create(index.TABLE)


def _add(batch: Sequence[_Lacking], table: str) -> None:
    raws = storage.load_many([row.message for row in batch])
    words = [(row, read(raws.get(row.message, b"")).words) for row in batch]
    index.add([index.Row(row.mail, row.mailing_list, *texts) for row, texts in words], table)


def _next(mailing_list: int | None, after: int, table: str) -> list[_Lacking]:
    sql, values = _query("m.id, m.mailing_list_id, m.message", mailing_list, table, after)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY m.id LIMIT {BATCH}", values)
        return [_Lacking(*row) for row in cursor.fetchall()]


def _query(what: str, mailing_list: int | None, table: str, after: int = 0) -> tuple[str, list[int]]:
    key = "mail_id" if connection.vendor == "postgresql" else "rowid"
    sql = (
        f"SELECT {what} FROM archive_mail m WHERE m.id > %s"  # noqa: S608 — our own names
        f" AND NOT EXISTS (SELECT 1 FROM {table} s WHERE s.{key} = m.id)"
    )
    if mailing_list is None:
        return sql, [after]
    return f"{sql} AND m.mailing_list_id = %s", [after, mailing_list]
