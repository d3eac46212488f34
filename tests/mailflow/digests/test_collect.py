"""Posts wait in their list until a digest takes them along: by size, by the clock, by hand, and for each rhythm once."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from postroad.community.lists import actions as lists
from postroad.community.lists.models import MailingList
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.queue.models import Job, Step
from postroad.mailflow.digests import actions, queries
from postroad.mailflow.digests.models import Edition, Issue, Post
from tests.mailflow.digests.conftest import mail

pytestmark = pytest.mark.django_db


def test_a_post_waits_until_it_is_sent(ants, readers, collect, sent):
    collect(mail())
    state = queries.waiting(ants)
    assert (state.volume, state.number, state.posts) == (1, 1, 1)
    assert sent() == {}
    assert actions.send(ants) == 1
    assert sorted(sent()) == ["html", "mime", "plain", "summary"]
    assert queries.waiting(ants).posts == 0
    assert not Post.objects.exists()
    assert not Issue.objects.exists()


def test_nothing_is_sent_when_nothing_was_collected(ants, readers, collect, sent):
    assert actions.send(ants) == 0
    collect(mail())
    assert actions.send(ants) == 1
    assert actions.send(ants) == 0


def test_the_size_of_the_list_sends_it(ants, readers, collect, sent):
    lists.change_settings(ants, {"digest_size_threshold": 4.0})
    collect(mail(b"x" * 70 + b"\r\n"))
    assert sent() == {}
    collect(mail(b"x" * 70 + b"\r\n" * 2000))
    assert len(sent()) == 4


def test_without_a_size_nothing_is_too_large(ants, readers, collect, sent):
    collect(mail((b"x" * 70 + b"\r\n") * 3000))
    assert sent() == {}


def test_a_post_s_journey_tells_of_the_digest(ants, readers, collect, sent):
    message_id = collect(mail())
    actions.send(ants)
    sent()
    steps = Step.objects.filter(message_id=message_id).order_by("id").values_list("outcome", "reason")
    assert list(steps) == [("collected", ""), ("in a digest", "the list’s, Vol 1, Issue 1")]


def test_a_list_that_nobody_reads_in_digests_builds_none(ants, join, collect, sent):
    join("anne@example.org", "regular")
    collect(mail())
    actions.send(ants)
    assert sent() == {}
    assert not Post.objects.exists()
    assert queries.waiting(ants).number == 2


def test_what_is_too_much_for_a_mail_makes_more_issues(ants, readers, collect, sent, monkeypatch):
    """Receivers take no mail of any size, and building one must not take more memory the more there is."""
    monkeypatch.setattr(actions, "MOST_POSTS", 3)
    for number in range(7):
        collect(mail(subject=f"Post {number}"))
    assert actions.send(ants) == 3
    work_subjects = []
    from tests.mailflow.digests.conftest import work

    work()
    from postroad.foundation.queue import actions as queue
    from tests.mailflow.digests.conftest import Sent

    for job in Job.objects.filter(queue="delivery").order_by("pk"):
        digest = Sent(ants, queue.decode(bytes(job.envelope)))
        if digest.readers == ["plain@example.org"]:
            work_subjects.append((digest.subject, digest.text.count("Message: ")))
    assert work_subjects == [
        ("Ants Digest, Vol 1, Issue 1", 3),
        ("Ants Digest, Vol 1, Issue 2", 3),
        ("Ants Digest, Vol 1, Issue 3", 1),
    ]
    assert not Post.objects.exists()


def test_a_mail_larger_than_an_issue_has_one_alone(ants, readers, collect, sent, monkeypatch):
    monkeypatch.setattr(actions, "LARGEST_ISSUE", 1000)
    for size in (10, 5000, 10, 10):
        collect(mail(b"x" * size + b"\r\n"))
    assert actions.send(ants) == 3


def test_a_list_that_is_removed_takes_its_digest_along(ants, readers, collect, sent):
    collect(mail())
    actions.send(ants)
    lists.delete_list(ants)
    assert not Post.objects.exists()
    assert not Issue.objects.exists()
    from tests.mailflow.digests.conftest import work

    work()
    assert Step.objects.filter(stage="issues").values_list("outcome", flat=True).get() == "discarded"


# --- numbers


def sent_on(ants, moment: datetime | None):
    MailingList.objects.filter(pk=ants.pk).update(digest_last_sent_at=moment)
    ants.refresh_from_db()


def test_each_digest_has_the_next_number(ants, readers, collect, sent):
    for number in (1, 2):
        collect(mail())
        actions.send(ants)
        assert sent()["plain"].subject == f"Ants Digest, Vol 1, Issue {number}"
    ants.refresh_from_db()
    assert ants.next_digest_number == 3
    assert ants.digest_last_sent_at is not None


def test_the_first_digest_of_a_new_period_begins_a_volume(ants, readers, collect, sent):
    lists.set_digest_count(ants, volume=3, number=9)
    lists.change_settings(ants, {"digest_volume_frequency": "yearly"})
    sent_on(ants, timezone.now() - timedelta(days=366))
    assert queries.next_issue(ants) == (4, 1)
    collect(mail())
    actions.send(ants)
    assert sent()["plain"].subject == "Ants Digest, Vol 4, Issue 1"
    assert queries.next_issue(ants) == (4, 2)


def test_bump_counts_on_and_begins_a_volume_when_its_time_has_come(ants):
    assert actions.bump(ants) == (1, 2)
    assert actions.bump(ants) == (1, 3)
    sent_on(ants, timezone.now() - timedelta(days=40))
    assert actions.bump(ants) == (2, 1)
    assert actions.bump(ants) == (2, 2)


# --- the clock


def test_the_daily_round_sends_for_lists_that_want_it(ants, readers, collect, sent):
    collect(mail())
    lists.change_settings(ants, {"digest_send_periodic": False})
    actions.send_due()
    assert sent() == {}
    lists.change_settings(ants, {"digest_send_periodic": True})
    actions.send_due()
    assert len(sent()) == 4
    actions.send_due()
    assert sent() == {}


def own(ants, join, frequency, mode="mime"):
    member = join(f"{frequency}@example.org", mode)
    subscriptions.set_options(member, {"digest_frequency": frequency}, proved=True)
    return member


def last_round(ants, frequency, **ago):
    Edition.objects.filter(mailing_list=ants, frequency=frequency).update(sent_at=timezone.now() - timedelta(**ago))


@pytest.mark.parametrize(("frequency", "days"), [("daily", 1), ("weekly", 7), ("monthly", 31)])
def test_a_member_s_own_frequency_has_its_own_issues(ants, join, collect, sent, frequency, days):
    join("mime@example.org", "mime")
    own(ants, join, frequency)
    collect(mail(subject="First"))
    actions.send(ants)
    assert list(sent()) == ["mime"]
    collect(mail(subject="Second"))
    actions.send_due()
    assert list(sent()) == ["mime"], "its time has not come"
    last_round(ants, frequency, days=days)
    actions.send_due()
    mails = sent()
    assert list(mails) == [frequency]
    assert mails[frequency].subject == f"Ants {frequency.title()} Digest, Vol 1, Issue 1"
    assert b"First" in mails[frequency].raw
    assert b"Second" in mails[frequency].raw
    actions.send_due()
    assert sent() == {}
    assert not Post.objects.exists(), "nobody needs them any more"


def test_a_round_that_was_missed_is_made_up_for(ants, join, collect, sent):
    """Nothing was sent while the site was down: the first round afterwards does it, once."""
    own(ants, join, "weekly")
    collect(mail())
    last_round(ants, "weekly", days=40)
    actions.send_due()
    assert list(sent()) == ["weekly"]
    actions.send_due()
    assert sent() == {}


def test_posts_are_kept_as_long_as_some_rhythm_needs_them(ants, join, collect, sent):
    own(ants, join, "weekly")
    collect(mail())
    actions.send(ants)
    sent()
    assert Post.objects.count() == 1


def test_a_rhythm_that_nobody_wants_any_more_keeps_no_posts(ants, join, collect, sent):
    join("mime@example.org", "mime")
    member = own(ants, join, "weekly")
    collect(mail())
    subscriptions.set_options(member, {"digest_frequency": "list"}, proved=True)
    last_round(ants, "weekly", days=8)
    actions.send_due()
    mails = sent()
    assert "weekly" in mails, "who left half way gets the last one"
    assert not Post.objects.exists()
    assert set(Edition.objects.values_list("frequency", flat=True)) == {""}


def test_who_changes_to_posts_half_way_gets_the_digest_begun_and_no_more(ants, join, collect, sent):
    member = join("mime@example.org", "mime")
    collect(mail())
    people.set_preferences(member, {"delivery_mode": "regular"})
    actions.send(ants)
    assert list(sent()) == ["mime"]
    collect(mail())
    actions.send(ants)
    assert sent() == {}


def test_new_members_get_digests_where_the_list_says_so(ants, join, collect, sent):
    lists.change_settings(ants, {"digest_is_default": True, "default_digest": "plaintext_digests"})
    assert join("new@example.org").delivery_mode == "plaintext_digests"
    assert join("sure@example.org", "regular").delivery_mode == "regular"
