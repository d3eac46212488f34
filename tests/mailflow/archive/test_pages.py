"""What the pages of the archive do: queries counted, unchanged pages not made again, long conversations in pieces."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from postroad.community.people import actions as people
from postroad.foundation.message.message_id import message_id_hash
from postroad.mailflow.archive import actions as archiving
from postroad.mailflow.archive.models import Mail, Thread
from postroad.mailflow.archive.reading import read
from tests.mailflow.archive.conftest import mail_bytes

pytestmark = pytest.mark.django_db

HERE = "/lists/ant.example.com/"


def thread_path(key: str) -> str:
    return f"{HERE}thread/{key}/"


@pytest.fixture
def conversation(archive):
    """Fifty mails of one conversation, and a dozen others."""
    archive("m0")
    for number in range(1, 50):
        archive(f"m{number}", references=(f"m{number - 1}",), days=number / 100)
    for number in range(12):
        archive(f"other{number}", days=1)
    return Thread.objects.order_by("-count")[0]


def pages(thread: Thread) -> dict[str, tuple[str, int]]:
    """Every page a stranger reads, and how many queries it may make."""
    hash_ = Mail.objects.filter(thread=thread).order_by("date")[25].message_id_hash
    # PostgreSQL gets a savepoint for a search where there is a transaction, as in a test.
    limited = 2 if connection.vendor == "postgresql" else 0
    return {
        "all lists": ("/", 4),
        "list": (HERE, 4),
        "month": (f"{HERE}archive/2026/3/", 6),
        "conversation": (thread_path(thread.key), 4),
        "mail": (f"{HERE}message/{hash_}/", 4),
        "search": ("/search/?q=hello", 4 + limited),
        "search of a list": (f"{HERE}search/?q=hello", 4 + limited),
        "how to search": ("/search/help/", 0),
        "feed": (f"{HERE}feed.atom", 3),
        "feed of a conversation": (f"{thread_path(thread.key)}feed.atom", 3),
        "feed of a search": ("/search/feed.atom?q=hello", 3 + limited),
    }


def test_a_page_makes_a_handful_of_queries_however_much_it_shows(client, conversation, django_assert_max_num_queries):
    for path, most in pages(conversation).values():
        client.get(path)  # Whatever is asked once for the whole process has been asked.
        with django_assert_max_num_queries(most):
            assert client.get(path).status_code == 200, path


def test_a_page_that_has_not_changed_is_not_made_again(client, conversation, archive):
    for name, (path, _) in pages(conversation).items():
        answer = client.get(path)
        if "ETag" not in answer:
            assert "search" in name
            continue
        again = client.get(path, headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304, path
        assert not again.content
    archive("m50", references=("m49",), days=2)
    for path in (HERE, thread_path(conversation.key), f"{HERE}archive/2026/3/", f"{HERE}feed.atom", "/"):
        assert client.get(path, headers={"If-None-Match": '"of before"'}).status_code == 200


@pytest.mark.parametrize("page", ["", "archive/2026/3/", "thread/{key}/", "message/{key}/", "feed.atom"])
def test_an_entity_tag_follows_what_the_page_shows(client, archive, page):
    archive("one")
    path = HERE + page.format(key=Thread.objects.get().key)
    first = client.get(path)["ETag"]
    archive("two", references=("one",), days=1)
    second = client.get(path)["ETag"]
    assert second != first
    mailing_list = Thread.objects.get().mailing_list
    mailing_list.settings["display_name"] = "Beetles"
    mailing_list.save()
    assert client.get(path)["ETag"] not in (first, second)


def test_a_reader_who_signs_in_gets_a_page_of_their_own(client, archive):
    archive("one")
    strangers = client.get(HERE)
    assert strangers["Cache-Control"] == "no-cache"
    client.force_login(people.create_user("bea@example.com"), backend="django.contrib.auth.backends.ModelBackend")
    own = client.get(HERE, headers={"If-None-Match": strangers["ETag"]})
    assert own.status_code == 200
    assert own["Cache-Control"] == "private, no-cache"
    assert own["ETag"] != strangers["ETag"]


def test_the_key_of_a_conversation_that_was_joined_to_another_leads_there(client, archive):
    archive("two", references=("one",), days=1)
    archive("three", references=("one",), days=2)
    keys = list(Thread.objects.values_list("key", flat=True))
    archive("one")
    kept = Thread.objects.get().key
    for key in keys:
        answer = client.get(thread_path(key))
        if key == kept:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 301
            assert answer["Location"] == thread_path(kept)


def test_a_mail_is_found_by_its_message_id(client, archive):
    mail = archive("one")
    answer = client.get(f"{HERE}mail/one@example.com")
    assert answer["Location"] == reverse("archive:message", args=("ant.example.com", mail.message_id_hash))
    assert client.get(f"{HERE}mail/none@example.com").status_code == 404


def test_a_long_conversation_is_shown_in_pages_and_every_mail_once(client, ant):
    """In the order of the conversation up to 400 mails, beyond by date; the last page has the rest."""
    for count in (120, 430):
        Thread.objects.all().delete()
        chain(ant, count, name=f"c{count}")
        path = thread_path(Thread.objects.get().key)
        shown: list[str] = []
        for number in range(1, 100):
            answer = client.get(path, {"page": number})
            shown += [line.split('"')[0] for line in answer.content.decode().split('<article class="post d')[1:]]
            if 'rel="next"' not in answer.content.decode():
                break
        assert number == (count + 49) // 50
        assert len(shown) == count


def chain(ant, count: int, *, start: int = 0, name: str = "d") -> None:
    """A reply to a reply to a reply, so many deep, archived in batches as an import does it."""
    for begin in range(start, start + count, 1000):
        numbers = range(begin, min(begin + 1000, start + count))
        raws = [
            mail_bytes(f"{name}{n}", f"{n}\n", references=(f"{name}{n - 1}",) if n else (), days=n / 10_000)
            for n in numbers
        ]
        mails = [archiving.Incoming(raw, f"{name}{n}@example.com", 0) for raw, n in zip(raws, numbers, strict=True)]
        archiving.archive_many(ant, mails, [read(raw) for raw in raws])


def lengthen(count: int) -> None:
    """Let the last mail of a chain have so many replies below each other, written straight into the table."""
    last = Mail.objects.order_by("-pk")[0]
    thread = last.thread
    made = []
    for number in range(1, count + 1):
        name = f"long{number}@example.com"
        at = last.date + timedelta(seconds=number)
        made.append(
            Mail(
                pk=last.pk + number, mailing_list=last.mailing_list, thread=thread, parent_id=last.pk + number - 1,
                message=last.message, message_id=name, message_id_hash=message_id_hash(name), subject="Re: Ants",
                date=at, archived_at=at, size=1,
            )
        )  # fmt: skip
    Mail.objects.bulk_create(made, batch_size=5000)
    Thread.objects.filter(pk=thread.pk).update(count=thread.count + count, last_at=made[-1].date)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence('archive_mail', 'id'), %s)", [made[-1].pk])
            # As autovacuum does after so many rows: what checks foreign keys was planned for a table of a few.
            cursor.execute("ANALYZE archive_mail")


def test_a_chain_of_10_000_replies_grows_and_is_shown(client, ant):
    chain(ant, 100)
    lengthen(9_800)
    raw = mail_bytes("end0", references=("long9800",), days=30)
    archiving.archive(ant, archiving.Incoming(raw, "end0@example.com", 0))
    chain(ant, 99, start=1, name="end")
    thread = Thread.objects.get()
    assert thread.count == 10_000
    for number, expected in ((1, "d0"), (100, "long4770"), (200, "end0")):
        page = client.get(thread_path(thread.key), {"page": number}).content.decode()
        assert page.count("<article") == 50
        assert f'id="m{message_id_hash(f"{expected}@example.com")}"' in page


def test_a_mail_that_cannot_be_loaded_does_not_break_its_page(client, archive):
    """Its row stands there; its bytes are gone from the store."""
    mail = archive("one")
    Mail.objects.filter(pk=mail.pk).update(message="f" * 64)
    assert client.get(thread_path(Thread.objects.get().key)).status_code == 200
