"""What is written on a page goes to the list as a mail of its author, by a verified address and no other."""

import pytest

from postroad.community.lists import actions as lists
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage
from postroad.foundation.storage.models import Blob
from postroad.mailflow.archive import actions as archiving
from postroad.mailflow.intake.actions import accept
from postroad.mailflow.intake.events import Transaction
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.worker import work as moderate

pytestmark = pytest.mark.django_db

HERE = "/lists/ant.example.com/"


@pytest.fixture
def bea(client):
    user = people.create_user("bea@example.net", display_name="Bea Müller")
    people.verify(people.ensure_address("bea@example.net"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def posted() -> bytes:
    """The mail that waits to be judged."""
    job = Job.objects.get(queue="moderation")
    key = next(k for k in Blob.objects.values_list("key", flat=True) if k.encode() in bytes(job.envelope))
    return storage.load(key)


def wish(**changes: str) -> dict[str, str]:
    return {"sender": "bea@example.net", "subject": "Ants", "text": "Hello.\r\n", **changes}


def test_a_post_waits_in_the_queue_as_a_mail_of_its_author(client, bea, ant):
    answer = client.post(f"{HERE}post/", wish())
    assert answer["Location"] == HERE
    headers = Headers.parse(posted())
    assert headers.get("from") == "Bea =?utf-8?q?M=C3=BCller?= <bea@example.net>"
    assert headers.get("to") == "ant@example.com"
    assert headers.get("in-reply-to") is None


def test_a_reply_names_what_it_answers_and_all_before(client, bea, ant):
    raw = b"From: a@b.example\r\nMessage-ID: <two@b>\r\nReferences: <zero@b> <one@b>\r\nSubject: Re: Ants\r\n\r\nWell.\r\n> old\r\n"
    mail = archiving.archive(ant, archiving.Incoming(raw, "two@b", 1_770_000_000))
    path = f"{HERE}message/{mail.message_id_hash}/reply/"
    page = client.get(path).content.decode()
    assert "&gt; Well." in page
    assert "&gt; old" not in page
    client.post(path, wish(subject="Re: Ants"))
    headers = Headers.parse(posted())
    assert headers.get("in-reply-to") == "<two@b>"
    assert headers.get("references") == "<zero@b> <one@b> <two@b>"


@pytest.mark.parametrize(
    "wrong", [{"sender": "cy@example.net"}, {"sender": "new@example.net"}, {"subject": ""}, {"text": ""}]
)
def test_nobody_writes_from_an_address_they_have_not_proved(client, bea, ant, wrong):
    people.link_address(bea, people.ensure_address("new@example.net"))
    people.verify(people.ensure_address("cy@example.net"))
    assert client.post(f"{HERE}post/", wish(**wrong)).status_code == 400
    assert not Job.objects.exists()


def judge_what_waits() -> None:
    (job,) = Job.objects.filter(queue="moderation")
    job.delete()
    moderate(decode(bytes(job.envelope)))


def test_a_list_that_asks_for_proof_believes_who_is_signed_in_and_no_mail_that_says_the_same(client, bea, ant):
    lists.change_settings(ant, {"authenticate_senders": True})
    sure = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}
    subscriptions.join(ant, "bea@example.net", **sure)
    client.post(f"{HERE}post/", wish())
    copy = posted()
    judge_what_waits()
    assert Job.objects.filter(queue="pipeline").count() == 1
    accept([Transaction("bea@example.net", ("ant@example.com",), copy)])
    judge_what_waits()
    assert HeldMessage.objects.get().reason == "The sender's address could not be authenticated"


@pytest.mark.parametrize("email", ["büä@example.net", "bea@bücher.example"])
def test_an_author_with_an_international_address_is_known(client, ant, email):
    user = people.create_user(email, display_name="Bea Müller")
    people.verify(people.ensure_address(email))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    lists.change_settings(ant, {"authenticate_senders": True})
    sure = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}
    subscriptions.join(ant, email, **sure)
    client.post(f"{HERE}post/", wish(sender=email))
    judge_what_waits()
    assert Job.objects.filter(queue="pipeline").count() == 1


def test_a_subject_brings_no_header_of_its_own(client, bea, ant):
    client.post(f"{HERE}post/", wish(subject="Ants\r\nBcc: all@example.net"))
    assert Headers.parse(posted()).get("bcc") is None


def test_who_may_not_read_a_list_does_not_write_to_it_here(client, bea, ant):
    lists.change_settings(ant, {"archive_policy": "private"})
    assert client.get(f"{HERE}post/").status_code == 404
    assert client.post(f"{HERE}post/", wish()).status_code == 404
    assert not Job.objects.exists()


def test_who_is_not_signed_in_is_asked_to(client, ant):
    assert client.get(f"{HERE}post/")["Location"].startswith("/accounts/login/")
