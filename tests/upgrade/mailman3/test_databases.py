"""Tables of old databases are read in pieces, whatever their keys are."""

import os
import sqlite3

import pytest

from postroad.upgrade.mailman3 import databases
from tests.databases import SERVER, database


@pytest.mark.sqlite_only
def test_a_piece_may_end_between_rows_that_share_a_part_of_their_key(tmp_path, monkeypatch):
    owned = [(1, domain) for domain in range(1, 6)] + [(2, 1), (3, 9)]
    with sqlite3.connect(tmp_path / "old.db") as made:
        made.execute("CREATE TABLE domain_owner (user_id INTEGER, domain_id INTEGER)")
        made.executemany("INSERT INTO domain_owner VALUES (?, ?)", owned)
    made.close()
    monkeypatch.setattr(databases, "PIECE", 2)
    old = databases.OldDatabase(databases.Place("sqlite", str(tmp_path / "old.db")))
    rows = old.rows("domain_owner", ("domain_id", "user_id"), key=("user_id", "domain_id"))
    assert [(row["user_id"], row["domain_id"]) for row in rows] == owned
    assert old.held("domain_owner", "user_id", [2, 3, 4]) == {2, 3}
    old.close()


@pytest.mark.skipif(not SERVER, reason="needs PostgreSQL")
def test_texts_of_a_database_without_an_encoding_are_read():
    """Seen in practice: SQL_ASCII, in which one program wrote UTF-8 and another Latin-1."""
    psycopg = pytest.importorskip("psycopg")
    with database(f"old_{os.getpid()}", encoding="SQL_ASCII") as url:
        with psycopg.connect(url) as made:
            made.execute("CREATE TABLE mailinglist (id int, list_id varchar, info text)")
            made.execute(rb"INSERT INTO mailinglist VALUES (1, E'a.\xc3\xa4', E'gr\xfc\xdfe')")
        old = databases.OldDatabase(databases.place_of(url))
        assert list(old.rows("mailinglist", ("list_id", "info"))) == [{"list_id": "a.ä", "info": "grüße"}]
        old.close()
