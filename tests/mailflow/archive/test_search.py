"""What the search finds; the same on SQLite and PostgreSQL."""

import pytest

from postroad.mailflow.archive.models import Mail
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
