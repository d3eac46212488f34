"""A new index beside the old one: found in all the while, resumed where it was stopped, nothing lacking at the end."""

import pytest
from django.db import connection

from postroad.mailflow.archive import indexing, rebuilding
from postroad.mailflow.archive.models import IndexState, Mail
from postroad.mailflow.archive.search import index
from postroad.mailflow.archive.search.query import parse

pytestmark = pytest.mark.django_db


@pytest.fixture
def outdated(archive, monkeypatch):
    """Five archived mails, an index of an older format, and batches of two."""
    monkeypatch.setattr(indexing, "BATCH", 2)
    for number in range(5):
        archive(f"mail{number}", "Beans in rows.\n")
    IndexState.objects.update(version=1, building=None)


def found() -> int:
    lists = list(Mail.objects.values_list("mailing_list", flat=True).distinct())
    return len(index.search(parse("beans"), lists, 0, 20).mails)


def test_a_new_site_has_the_index_of_its_release():
    assert not rebuilding.is_outdated()


MADE = {
    "sqlite": "SELECT replace(sql, '_next', '') FROM sqlite_master WHERE name LIKE 'archive_search%%'"
    " AND sql LIKE 'CREATE VIRTUAL%%' ORDER BY name",
    "postgresql": "SELECT string_agg(replace(indexdef, '_next', ''), ' ' ORDER BY indexname) FROM pg_indexes"
    " WHERE tablename LIKE 'archive_search%%' GROUP BY tablename",
}


def test_the_index_of_a_new_site_is_made_like_that_of_a_rebuild():
    index.begin(index.NEXT)
    index.complete(index.NEXT)
    with connection.cursor() as cursor:
        cursor.execute(MADE[connection.vendor])
        made = cursor.fetchall()
    assert len(made) == 2
    assert made[0] == made[1]


def test_a_rebuild_is_searched_only_when_it_is_whole(outdated):
    assert rebuilding.is_outdated()
    assert rebuilding.to_do() == 5
    steps = rebuilding.rebuild()
    assert next(steps) == 2
    assert (found(), rebuilding.to_do()) == (5, 3)
    assert rebuilding.is_outdated()
    assert sum(steps) == 3
    assert (found(), rebuilding.is_outdated()) == (5, False)
    assert index.NEXT not in connection.introspection.table_names()


def test_a_rebuild_that_was_stopped_goes_on_where_it_was(outdated):
    next(rebuilding.rebuild())
    assert sum(rebuilding.rebuild()) == 3
    assert found() == 5


def test_a_rebuild_that_was_stopped_before_its_last_step_goes_on_there(outdated, archive, monkeypatch):
    complete = index.complete
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(index, "complete", lambda table: (complete(table), archive("late", "Late beans.\n")))
        steps = rebuilding.rebuild()
        assert [next(steps) for _ in range(4)] == [2, 2, 1, 1]
        steps.close()
    archive("later", "Later beans.\n")
    assert sum(rebuilding.rebuild()) == 1
    assert (found(), rebuilding.is_outdated()) == (7, False)


def test_what_is_archived_meanwhile_is_in_both(outdated, archive):
    steps = rebuilding.rebuild()
    next(steps)
    archive("late", "Late beans.\n")
    assert found() == 6
    assert sum(steps) == 4
    assert found() == 6


def test_a_rebuild_of_another_format_is_begun_anew(outdated):
    next(rebuilding.rebuild())
    IndexState.objects.update(building=1)
    assert rebuilding.to_do() == 5
    assert sum(rebuilding.rebuild()) == 5
    assert found() == 5


def test_an_index_can_be_rebuilt_twice(outdated):
    """Names of tables and of their indexes are free again."""
    for _ in range(2):
        assert sum(rebuilding.rebuild()) == 5
        IndexState.objects.update(version=1)
    assert found() == 5
