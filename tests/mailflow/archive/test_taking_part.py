"""Votes, tags, favourites, what is new; and what moderators do: delete, move, name."""

import pytest

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.errors import BadInput
from postroad.mailflow.archive import reader, tending
from postroad.mailflow.archive.models import Favorite, LastView, Mail, Month, Tag, Thread, Vote
from postroad.mailflow.archive.search.index import search
from postroad.mailflow.archive.search.query import parse

pytestmark = pytest.mark.django_db

HERE = "/lists/ant.example.com/"


@pytest.fixture
def bea(client):
    """Somebody who is signed in."""
    user = people.create_user("bea@example.net")
    people.verify(people.ensure_address("bea@example.net"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def owner(ant, bea):
    subscriptions.join(ant, "bea@example.net", role="owner", pre_verified=True, pre_confirmed=True, pre_approved=True)
    return bea


def found(ant, text: str) -> list[str]:
    keys = search(parse(text), [ant.pk], 0, 50).mails
    return sorted(Mail.objects.filter(pk__in=keys).values_list("message_id", flat=True))


def test_a_vote_counts_once_for_each_reader_and_can_be_taken_back(client, bea, archive):
    mail = archive("one")
    path = f"{HERE}message/{mail.message_id_hash}/vote/"
    for wish, sums in (("1", (1, 0)), ("1", (1, 0)), ("-1", (0, 1)), ("0", (0, 0))):
        answer = client.post(path, {"vote": wish})
        assert answer["Location"] == f"{HERE}thread/{mail.thread.key}/#m{mail.message_id_hash}"
        assert tuple(Mail.objects.values_list("likes", "dislikes").get()) == sums
    client.post(path, {"vote": "5"})
    assert not Vote.objects.exists()


def test_who_is_not_signed_in_is_asked_to(client, archive):
    mail = archive("one")
    for path in (f"message/{mail.message_id_hash}/vote/", f"thread/{mail.thread.key}/tags/", "read/"):
        assert client.post(HERE + path)["Location"].startswith("/accounts/login/?next=")
    assert client.get("/favorites/").status_code == 302


def test_tags_are_words_with_commas_between_and_one_takes_only_ones_own_away(client, bea, archive):
    mail = archive("one")
    other = people.create_user("cy@example.net")
    reader.add_tags(other, mail.thread, "theirs")
    path = f"{HERE}thread/{mail.thread.key}/tags/"
    client.post(path, {"tag": "Seeds,  winter beds , <b>"})
    assert set(Tag.objects.filter(user=bea).values_list("name", flat=True)) == {"seeds", "winter beds", "b"}
    client.post(path, {"remove": "seeds"})
    client.post(path, {"remove": "theirs"})
    assert set(Tag.objects.values_list("name", flat=True)) == {"theirs", "winter beds", "b"}
    assert "winter beds" in client.get(f"{HERE}thread/{mail.thread.key}/").content.decode()


def test_nobody_fills_a_conversation_with_tags(bea, archive):
    thread = archive("one").thread
    with pytest.raises(BadInput, match="more than 20"):
        reader.add_tags(bea, thread, ",".join(f"t{n}" for n in range(21)))
    with pytest.raises(BadInput, match="A tag"):
        reader.add_tags(bea, thread, " ,,, ")


def test_a_favourite_is_found_again_as_long_as_one_may_read_it(client, bea, archive, ant):
    thread = archive("one").thread
    client.post(f"{HERE}thread/{thread.key}/favorite/", {"wanted": "1"})
    assert thread.key in client.get("/favorites/").content.decode()
    lists.change_settings(ant, {"archive_policy": "private"})
    assert thread.key not in client.get("/favorites/").content.decode()
    lists.change_settings(ant, {"archive_policy": "public"})
    client.post(f"{HERE}thread/{thread.key}/favorite/", {"wanted": "0"})
    assert not Favorite.objects.exists()


def test_what_came_since_one_read_it_is_new(client, bea, archive):
    thread = archive("one").thread
    assert 'class="row unread"' in client.get(HERE).content.decode()
    client.post(f"{HERE}thread/{thread.key}/read/")
    assert 'class="row unread"' not in client.get(HERE).content.decode()
    archive("two", references=("one",), days=1)
    assert 'class="row unread"' in client.get(HERE).content.decode()
    client.post(f"{HERE}read/")
    assert 'class="row unread"' not in client.get(HERE).content.decode()
    assert LastView.objects.count() == 1


def test_a_mail_that_is_deleted_is_gone_from_pages_search_and_counts(client, owner, ant, archive):
    one = archive("one", "tomato\n")
    archive("two", "tomato\n", references=("one",), days=1)
    archive("three", "tomato\n", references=("two",), days=2)
    two = Mail.objects.get(message_id="two@example.com")
    path = f"{HERE}message/{two.message_id_hash}/"
    assert client.get(f"{path}delete/").status_code == 200
    assert Mail.objects.count() == 3
    answer = client.post(f"{path}delete/")
    assert answer["Location"] == f"{HERE}thread/{one.thread.key}/"
    assert client.get(path).status_code == 404
    assert found(ant, "tomato") == ["one@example.com", "three@example.com"]
    assert Mail.objects.get(message_id="three@example.com").parent_id == one.pk
    assert (Thread.objects.get().count, Month.objects.get().count) == (2, 2)


def test_when_the_first_mail_is_deleted_its_earliest_reply_stands_for_it(owner, archive):
    archive("one")
    for name, days in (("two", 1), ("three", 2)):
        archive(name, references=("one",), days=days, subject=f"Re: {name}")
    tending.delete_mail(Mail.objects.get(message_id="one@example.com"))
    two, three = Mail.objects.order_by("date")
    assert (two.parent_id, three.parent_id) == (None, two.pk)
    assert Thread.objects.get().subject == "two"


def test_a_conversation_that_is_deleted_takes_its_words_along(client, owner, ant, archive):
    archive("one", "tomato\n")
    archive("two", "tomato\n", references=("one",), days=1)
    archive("other", "tomato\n")
    key = Thread.objects.get(count=2).key
    client.post(f"{HERE}thread/{key}/delete/")
    assert found(ant, "tomato") == ["other@example.com"]
    assert client.get(f"{HERE}thread/{key}/").status_code == 404


def test_a_list_that_is_deleted_leaves_no_words_behind(ant, archive):
    from django.db import connection

    archive("one", "tomato\n")
    lists.delete_list(ant)
    column = "words::text LIKE '%%tomato%%'" if connection.vendor == "postgresql" else "archive_search MATCH 'tomato'"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM archive_search WHERE {column}")
        assert cursor.fetchone()[0] == 0


def test_a_conversation_is_moved_into_another_and_its_old_address_leads_there(client, owner, archive):
    one, lost = archive("one"), archive("lost", days=1, subject="Lost")
    archive("reply", references=("lost",), days=2)
    path = f"{HERE}thread/{lost.thread.key}/"
    assert client.get(f"{path}reattach/").status_code == 200
    wrong = client.post(f"{path}reattach/", {"parent": "nothing"})
    assert wrong.status_code == 400
    assert "no mail with that address" in wrong.content.decode()
    client.post(f"{path}reattach/", {"parent": f"https://lists.example.com{HERE}message/{one.message_id_hash}/"})
    assert Thread.objects.get().count == 3
    assert Mail.objects.get(message_id="lost@example.com").parent_id == one.pk
    assert client.get(path)["Location"] == f"{HERE}thread/{one.thread.key}/"


def test_a_conversation_is_not_moved_into_itself(owner, archive):
    mail = archive("one")
    with pytest.raises(BadInput, match="already"):
        tending.reattach(mail.thread, mail.message_id_hash)


def test_a_conversation_is_called_what_its_moderators_say(client, owner, archive):
    thread = archive("one").thread
    client.post(f"{HERE}thread/{thread.key}/category/", {"category": "question"})
    assert '<span class="badge">question</span>' in client.get(HERE).content.decode()
    client.post(f"{HERE}thread/{thread.key}/category/", {"category": "nonsense"})
    assert Thread.objects.get().category == "question"
