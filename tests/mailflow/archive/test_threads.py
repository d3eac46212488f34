"""Which conversation a mail belongs to, whatever comes late, twice or in a ring."""

import pytest

from postroad.mailflow.archive.models import AwaitedMail, Mail, Month, Thread

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
