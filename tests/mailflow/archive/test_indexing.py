"""What is archived and not in the index is brought in, and nothing twice."""

import pytest
from django.db import connection

from postroad.community.lists import actions as lists
from postroad.mailflow.archive import indexing
from postroad.mailflow.archive.search import index, query


def found(text, *mailing_lists):
    return index.search(query.parse(text), [row.pk for row in mailing_lists], 0, 10).total


@pytest.fixture
def bee(ant):
    return lists.create_list("bee@example.com")


def test_an_index_that_was_emptied_is_filled_again(archive, ant, bee, monkeypatch):
    monkeypatch.setattr(indexing, "BATCH", 2)
    for number in range(3):
        archive(f"a{number}", "about wood\n")
    archive("b", "about honey\n", mailing_list=bee)
    indexing.clear()
    assert (found("wood", ant), indexing.lacking(), indexing.lacking(bee.pk)) == (0, 4, 1)
    assert list(indexing.index_lacking(bee.pk)) == [1]
    assert (found("honey", bee), found("wood", ant)) == (1, 0)
    assert list(indexing.index_lacking()) == [2, 1]
    assert (found("wood", ant, bee), found("honey", ant, bee)) == (3, 1)
    assert list(indexing.index_lacking()) == []


def test_a_run_that_was_stopped_goes_on_where_it_was(archive, ant, monkeypatch):
    monkeypatch.setattr(indexing, "BATCH", 1)
    for number in range(3):
        archive(f"a{number}", "about wood\n")
    indexing.clear()
    assert next(indexing.index_lacking()) == 1
    assert indexing.lacking() == 2
    assert list(indexing.index_lacking()) == [1, 1]
    assert found("wood", ant) == 3


def test_a_mail_whose_bytes_are_gone_does_not_stop_the_others(archive, ant):
    archive("a", "about wood\n")
    archive("b", "about honey\n")
    indexing.clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storage_blob WHERE key IN (SELECT message FROM archive_mail ORDER BY id LIMIT 1)")
    assert list(indexing.index_lacking()) == [2]
    assert found("honey", ant) == 1


def test_cells_and_blocks_of_html_are_words_of_their_own(archive, ant):
    """Seen in practice: a table in an HTML mail, and an answer that Outlook puts before a `div`."""
    table = "<table><tr><th>Bed</th><th>Sown</th></tr><tr><td>north</td><td>spinach</td></tr></table>"
    archive("a", f"{table}yes<div>no</div>\n", content_type="text/html; charset=utf-8")
    assert [found(word, ant) for word in ("bed", "sown", "north", "spinach", "yes", "no")] == [1] * 6
