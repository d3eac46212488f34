"""Which conversation a mail belongs to, whatever comes late, twice or in a ring."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroad.mailflow.archive import actions, moving_in
from postroad.mailflow.archive.models import AwaitedMail, Favorite, Mail, Month, Tag, Thread
from postroad.mailflow.archive.reading import read

from .conftest import FIRST_OF_MARCH, mail_bytes

pytestmark = pytest.mark.django_db


def names(thread: Thread) -> list[str]:
    return sorted(m.message_id.partition("@")[0] for m in Mail.objects.filter(thread=thread))


def parent_of(name: str) -> str | None:
    mail = Mail.objects.select_related("parent").get(message_id=f"{name}@example.com")
    return mail.parent.message_id.partition("@")[0] if mail.parent else None


def test_a_reply_stands_below_what_it_answers(archive):
    archive("one")
    archive("two", references=("one",), days=1)
    thread = Thread.objects.get()
    assert names(thread) == ["one", "two"]
    assert thread.count == 2
    assert parent_of("two") == "one"


def test_the_nearest_known_mail_is_the_parent(archive):
    """When the direct parent never came, the one before it is taken."""
    archive("one")
    archive("three", references=("one", "missing"), days=1)
    assert parent_of("three") == "one"


def test_a_late_parent_takes_its_reply_in(archive):
    archive("two", references=("one",), days=1)
    archive("one")
    thread = Thread.objects.get()
    assert parent_of("two") == "one"
    assert thread.count == 2
    assert thread.subject == "Ants"
    assert not AwaitedMail.objects.exists()


def test_a_late_parent_in_between_is_put_in_its_place(archive):
    """One and three are there, three below one; then two comes: three moves below two."""
    archive("one")
    archive("three", references=("one", "two"), days=2)
    assert parent_of("three") == "one"
    archive("two", references=("one",), days=1)
    assert parent_of("three") == "two"
    assert Thread.objects.get().count == 3


def test_conversations_are_joined_by_a_mail_both_waited_for(archive):
    archive("two", references=("one",), days=1)
    archive("three", references=("one",), days=2)
    assert Thread.objects.count() == 2
    archive("one")
    assert names(Thread.objects.get()) == ["one", "three", "two"]


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_mails_that_refer_to_each_other_do_not_form_a_ring(archive, order):
    for name in order:
        archive(name, references=("two" if name == "one" else "one",))
    roots = Mail.objects.filter(parent=None)
    assert roots.count() == 1
    assert Thread.objects.get().count == 2


def test_a_mail_that_refers_to_itself_is_no_reply(archive):
    archive("one", references=("one",))
    assert parent_of("one") is None


def test_the_very_same_mail_is_archived_once(archive):
    assert archive("one") is not None
    assert archive("one") is None
    assert Mail.objects.count() == 1
    assert Month.objects.get().count == 1


def test_another_mail_under_a_taken_message_id_hides_neither(archive):
    first = archive("one", "the first\n")
    second = archive("one", "another\n")
    assert second is not None
    assert second.message_id_hash != first.message_id_hash
    assert archive("one", "another\n") is None
    assert Mail.objects.count() == 2


def test_months_are_counted(archive):
    archive("one")
    archive("two", days=1)
    archive("three", days=40)
    assert list(Month.objects.order_by("year", "month").values_list("year", "month", "count")) == [
        (2026, 3, 2),
        (2026, 4, 1),
    ]


def bring(ant, numbers) -> int:
    """Archive mails of a chain, in which each answers the one before it, as one batch; how many statements it took."""
    raws = [mail_bytes(str(n), references=(str(n - 1),) if n else ()) for n in numbers]
    incoming = [actions.Incoming(raw, f"{n}@example.com", FIRST_OF_MARCH) for n, raw in zip(numbers, raws, strict=True)]
    with CaptureQueriesContext(connection) as asked:
        actions.archive_many(ant, incoming, [read(raw) for raw in raws])
    return len(asked)


def test_a_batch_joins_any_number_of_conversations_by_the_same_statements(ant):
    """Half of a chain is there, each mail alone; what comes between joins two at a time."""
    bring(ant, range(0, 82, 2))
    assert Thread.objects.count() == 41
    assert bring(ant, range(1, 5, 2)) == bring(ant, range(5, 81, 2))
    chain = dict(Mail.objects.values_list("message_id", "parent__message_id"))
    assert chain == {f"{n}@example.com": f"{n - 1}@example.com" if n else None for n in range(81)}
    assert [t.count for t in Thread.objects.all()] == [81]


def test_a_way_up_is_asked_of_the_database_at_once(ant):
    """A late mail below the end of a long chain, for which a reply near its top waits: is that reply above it?"""
    bring(ant, range(100))
    raw = mail_bytes("waiting", references=("0", "late"))
    actions.archive(ant, actions.Incoming(raw, "waiting@example.com", FIRST_OF_MARCH))
    raw = mail_bytes("late", references=("99",))
    with CaptureQueriesContext(connection) as asked:
        actions.archive(ant, actions.Incoming(raw, "late@example.com", FIRST_OF_MARCH))
    assert parent_of("waiting") == "late"
    assert len(asked) < 40


def test_what_readers_added_goes_along_once_when_conversations_are_joined(ant, django_user_model):
    reader = django_user_model.objects.create(display_name="Reader")
    bring(ant, (0, 2))
    for thread in Thread.objects.all():
        Tag.objects.create(thread=thread, user=reader, name="both")
        Tag.objects.create(thread=thread, user=reader, name=thread.key)
        Favorite.objects.create(thread=thread, user=reader)
    bring(ant, (1,))
    assert Tag.objects.filter(thread=Thread.objects.get()).count() == 3
    assert Favorite.objects.filter(thread=Thread.objects.get()).count() == 1


def test_mails_are_hung_below_the_same_long_chain_by_walking_it_once(ant):
    bring(ant, range(200))
    roots = [archived(ant, f"root{n}") for n in range(20)]
    last = Mail.objects.get(message_id="199@example.com").pk
    tops = moving_in.Tops({})
    with CaptureQueriesContext(connection) as asked:
        refused = moving_in.hang([(root, last) for root in roots], tops)
    assert refused == []
    assert len(asked) < 10
    first = Mail.objects.get(message_id="0@example.com").pk
    assert moving_in.hang([(first, roots[7])], tops) == [(first, roots[7])], "that would be a ring"
    assert set(Mail.objects.filter(pk__in=roots).values_list("parent_id", flat=True)) == {last}


def archived(ant, name: str) -> int:
    made = actions.archive(ant, actions.Incoming(mail_bytes(name), f"{name}@example.com", FIRST_OF_MARCH))
    assert made is not None
    return made.pk
