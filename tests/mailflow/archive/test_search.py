"""What the search finds; the same on SQLite and PostgreSQL."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.search import index
from postroad.mailflow.archive.search.analyser import tokens
from postroad.mailflow.archive.search.index import search
from postroad.mailflow.archive.search.query import parse


@pytest.fixture
def corpus(archive):
    archive("one", "The tomatoes on the south wall have brown spots.\n", subject="Blight")
    archive("two", "Größe der Tütchen: zehn.\n", subject="Saatgut", sender="Lena Groß <lena@example.org>", days=40)
    archive("three", "全文検索の設定\n", subject="設定", sender="Goro <goro@example.org>", days=80)
    archive("four", "South of the wall, a tomato.\n", subject="Re: Blight", references=("one",), days=100)


def found(text: str, mailing_list) -> list[str]:
    keys = search(parse(text), [mailing_list.pk], 0, 20).mails
    by_key = {m.pk: m.message_id.partition("@")[0] for m in Mail.objects.all()}
    return [by_key[k] for k in keys]


CASES = (
    ("tomato", ["four", "one"]),
    ("TOMATOES wall", ["four", "one"]),
    ('"south wall"', ["one"]),
    ("tomato -brown", ["four"]),
    ("grosse", ["two"]),
    ("Tutchen", ["two"]),
    ("設定", ["three"]),
    ("検索", ["three"]),
    ("from:lena", ["two"]),
    ("from:goro@example.org", ["three"]),
    ("subject:blight", ["four", "one"]),
    ("subject:tomato", []),
    ("tomato after:2026-05", ["four"]),
    ("tomato before:2026-05", ["one"]),
    ("nothing-like-this", []),
    ("-tomato", []),
)


@pytest.mark.django_db
@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_search_finds(corpus, ant, text, expected):
    assert found(text, ant) == expected


@pytest.mark.sqlite_only
def test_words_are_folded_stemmed_and_cjk_runs_cut_in_pairs():
    assert list(tokens("Größe ｆｕｌｌ TOMATOES")) == ["gross", "full", "tomato"]
    assert list(tokens("全文検索")) == ["全文", "文検", "検索"]
    assert list(tokens("設")) == ["設"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL keeps plans")
@pytest.mark.django_db
def test_a_search_is_not_done_by_the_plan_of_an_earlier_one(corpus, ant):
    for _ in range(connection.connection.prepare_threshold + 1):
        found("tomato", ant)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE '%archive_search WHERE%'")
        assert cursor.fetchone() == (0,)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="FTS5 looks all words up")
@pytest.mark.django_db
@pytest.mark.parametrize("by_relevance", [False, True])
def test_common_words_that_never_stand_together_are_looked_up(ant, monkeypatch, by_relevance):
    """PostgreSQL takes them to do, and would walk through all mails of the site, the newest first."""
    words = "setweight(array_to_tsvector(ARRAY[%s]), 'D') || setweight(to_tsvector('simple', %s), 'C')"
    with connection.cursor() as cursor:
        for first, scope, word in ((1_000_000, "l0", "foreign"), (1_000_001, f"l{ant.pk}", "own")):
            cursor.execute(
                f"INSERT INTO archive_search SELECT k, now() + k * interval '1 s', {words}"
                f" FROM generate_series({first}, 1006000, 2) k",
                [scope, " ".join([word, *(f"w{n}" for n in range(60))])],
            )
        cursor.execute("ANALYZE archive_search")
    monkeypatch.setattr(index, "PATIENCE", 1)
    with CaptureQueriesContext(connection) as asked:
        assert search(parse("foreign"), [ant.pk], 0, 20, by_relevance=by_relevance).total == 0
    assert any("enable_indexscan = off" in query["sql"] for query in asked)
    assert search(parse("own"), [ant.pk], 0, 20, by_relevance=by_relevance).total == index.COUNTED
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('enable_indexscan')")
        assert cursor.fetchone() == ("0", "on")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="FTS5 finds what was archived last")
@pytest.mark.django_db
def test_the_newest_are_counted_whenever_they_were_archived(archive, ant, monkeypatch):
    monkeypatch.setattr(index, "COUNTED", 2)
    archive("newest", "beans\n", days=20)
    archive("newer", "beans\n", days=10)
    archive("brought", "beans\n")
    assert found("beans", ant) == ["newest", "newer"]
    assert found("beans before:2026-03-15", ant) == ["newer", "brought"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL's index has dates")
@pytest.mark.django_db
def test_an_index_of_a_release_that_kept_no_dates_is_searched_until_it_is_built_anew(corpus, ant, archive):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE archive_search SET date = NULL")
        cursor.execute("DROP INDEX archive_search_dates")
    archive("late", "Wall of tomatoes.\n", days=200)
    assert found("tomato", ant) == ["late", "four", "one"]
    assert found("tomato before:2026-05", ant) == ["one"]


MORE = (
    ("list:ant", ["one", "two"]),
    ("list:ant@example.com hello", ["one", "two"]),
    ("list:bee hello", []),
    ("-list:ant hello", []),
    ("has:attachment", ["two"]),
    ("-has:attachment hello", ["one"]),
    ("after:2026", ["one", "two"]),
)


@pytest.mark.django_db
@pytest.mark.parametrize(("text", "expected"), MORE)
def test_a_search_of_the_site_understands_lists_and_attachments(client, archive, text, expected):
    archive("one", "hello\n")
    body = "--x\nContent-Type: text/plain\n\nhello\n--x\nContent-Disposition: attachment; filename=a.txt\n\nb\n--x--\n"
    archive("two", body, content_type="multipart/mixed; boundary=x", days=1)
    page = client.get("/search/", {"q": text}).content.decode()
    shown = [m.message_id.partition("@")[0] for m in Mail.objects.order_by("pk") if m.message_id_hash in page]
    assert shown == (expected if "list" not in text or "hello" in text else [])


@pytest.mark.django_db
def test_the_best_come_first_when_that_is_asked(ant, archive):
    archive("much", "ants\n", subject="Ants and ants", days=0)
    archive("little", f"{'word ' * 200} ants\n", subject="Something", days=5)
    keys = search(parse("ants"), [ant.pk], 0, 20, by_relevance=True).mails
    assert [Mail.objects.get(pk=k).message_id for k in keys] == ["much@example.com", "little@example.com"]


@pytest.mark.django_db
def test_the_best_are_chosen_from_what_was_archived_last(ant, archive, monkeypatch):
    monkeypatch.setattr(index, "RANKED", 2)
    archive("oldest", "ants\n", subject="Ants and ants")
    archive("much", "ants\n", subject="Ants", days=1)
    archive("little", f"{'word ' * 200} ants\n", subject="Something", days=2)
    keys = search(parse("ants"), [ant.pk], 0, 20, by_relevance=True).mails
    assert [Mail.objects.get(pk=k).message_id for k in keys] == ["much@example.com", "little@example.com"]


@pytest.mark.django_db
def test_what_was_found_is_shown_with_its_list_author_date_and_files(client, archive):
    archive("one", "My tomatoes", subject="", sender="Lena <lena@example.org>")
    Mail.objects.update(attachments=2)
    page = " ".join(client.get("/search/?q=tomatoes").content.decode().split())
    assert '<bdi>(no subject)</bdi></a></h2><p dir="auto">My <mark>tomatoes</mark></p>' in page
    assert "<bdi>Lena</bdi> · ant.example.com · 2 attachments</p>" in page
    assert "1 Mar 2026</time>" in page
    of_list = client.get("/lists/ant.example.com/search/?q=tomatoes").content.decode()
    assert "<bdi>Lena</bdi> · 2 attachments</p>" in of_list


@pytest.mark.django_db
def test_the_words_that_were_found_are_marked_and_quotes_come_last(client, archive):
    archive("one", "> an old tomato\nMy <own> tomatoes are green.\n")
    page = client.get("/search/?q=tomato").content.decode()
    assert "My &lt;own&gt; <mark>tomatoes</mark> are green." in page
    assert "old" not in page.partition("<main")[2].partition("</main")[0]


@pytest.mark.django_db
def test_a_word_is_marked_where_it_stands_alone(client, archive):
    archive("one", "Ant-hills: ants, pants, Ant_1 and antsy.\n")
    page = client.get("/search/?q=ants").content.decode()
    assert "<mark>Ant</mark>-hills: <mark>ants</mark>, pants, <mark>Ant</mark>_1 and antsy." in page


@pytest.mark.django_db
def test_what_no_word_was_looked_for_in_is_shown_from_its_begin(client, archive):
    archive("one", "First words of it.\n")
    assert '<p dir="auto">First words of it.</p>' in client.get("/search/?q=after:2026").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["Ponies", "PONY", "größe", "3rd"])
def test_a_word_is_marked_in_whatever_form_it_stands(client, archive, word):
    archive("one", f"The {word} of Größe and the 3rd pony's.\n")
    assert f"The <mark>{word}</mark> of" in client.get("/search/", {"q": word.lower()}).content.decode()


@pytest.mark.django_db
def test_what_is_not_understood_is_told(client, archive):
    archive("one")
    page = client.get("/search/?q=after:yesterday+hello").content.decode()
    assert "<code>after:yesterday</code>" in page


@pytest.mark.django_db
def test_a_search_has_a_feed_and_a_description_for_browsers(client, archive):
    archive("one", "tomato\n")
    feed = client.get("/search/feed.atom?q=tomato").content.decode()
    assert feed.count("<entry>") == 1
    assert "{searchTerms}" in client.get("/search/description.xml").content.decode()
