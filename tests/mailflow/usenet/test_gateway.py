"""The gateway against a real InterNetNews, and against a server that misbehaves."""

import dataclasses

import pytest
from django.conf import settings

from postroad.community.lists.models import MailingList
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.queue.worker import Worker
from postroad.foundation.sections import Nntp
from postroad.foundation.storage import actions as storage
from postroad.mailflow.timetable import GATEWAYS
from postroad.mailflow.usenet import actions
from postroad.mailflow.usenet.nntp import NewsAway, NewsRefused, NewsServer

from .inn import IS_INSTALLED

pytestmark = pytest.mark.django_db(transaction=True)
needs_inn = pytest.mark.skipif(not IS_INSTALLED, reason="InterNetNews (Debian: inn2) is not installed, or not root")

POST = b"From: Anne <anne@example.org>\r\nTo: ants@news.example\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n"


def gate(mailing_list, name=b"one", body=b".dot\r\nhello\r\n"):
    raw = POST % (name, name) + b"\r\n" + body
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(raw), message_id=f"{name.decode()}@example.org",
        received_at=1.0, list_id=mailing_list.list_id, size=len(raw),
    )  # fmt: skip
    queue.put("usenet", envelope)
    Worker("test", GATEWAYS).run_until_idle()


@needs_inn
def test_a_post_stands_in_the_group_and_does_not_come_back(inn, gated):
    ants = gated(inn)
    actions.fetch_news()
    ants.refresh_from_db()
    before = ants.usenet_watermark
    assert before is not None
    gate(ants, b"round", POST and b".dot\r\nhello\r\n")
    assert Step.objects.get(stage="usenet").outcome == "posted"
    with NewsServer(Nntp(host="127.0.0.1", port=inn, timeout=5)) as server:
        article = server.article(server.group("test.ants").last)
    assert article is not None
    assert article.endswith(b"\r\n\r\n.dot\r\nhello\r\n")
    actions.fetch_news()
    assert not Job.objects.filter(queue="moderation").exists(), "our own article came back as a post"


@needs_inn
def test_posting_twice_is_no_failure(inn, gated):
    ants = gated(inn)
    gate(ants, b"twice")
    gate(ants, b"twice")
    reasons = list(Step.objects.filter(stage="usenet").order_by("id").values_list("reason", flat=True))
    assert reasons[0] == "posted to test.ants"
    assert reasons[1].startswith("there already")


@needs_inn
def test_articles_come_to_the_list_once_from_the_moment_it_is_joined(inn, gated):
    gated(inn)
    server = Nntp(host="127.0.0.1", port=inn, timeout=5)
    article = (
        b"From: bob@example.net\r\nNewsgroups: test.ants\r\nSubject: %s\r\nMessage-ID: <%s@example.net>\r\n\r\nnews\r\n"
    )
    with NewsServer(server) as connection:
        connection.post(article % (b"old", b"old"))
    actions.fetch_news()
    assert not Job.objects.filter(queue="moderation").exists()
    with NewsServer(server) as connection:
        connection.post(article % (b"new", b"new"))
        connection.post((article % (b"own", b"own")).replace(b"Subject", b"List-Id: <ants.news.example>\r\nSubject"))
    actions.fetch_news()
    actions.fetch_news()
    (job,) = Job.objects.filter(queue="moderation")
    envelope = decode(bytes(job.envelope))
    assert envelope.from_usenet
    assert envelope.message_id == "new@example.net"
    assert b"To: ants@news.example" in storage.load(envelope.message)


@needs_inn
def test_a_refused_article_is_kept_with_the_reason(inn, gated):
    ants = gated(inn)
    MailingList.objects.filter(pk=ants.pk).update(settings={**ants.settings, "linked_newsgroup": "test.unknown"})
    gate(ants, b"nowhere")
    job = Job.objects.get(queue="usenet")
    assert job.state == Job.State.QUARANTINED
    assert "The news server refused it: 441" in job.error


def test_a_server_that_is_away_is_tried_again(gated):
    ants = gated(1)
    gate(ants)
    job = Job.objects.get(queue="usenet")
    assert job.state == Job.State.LIVE
    assert "The news server is away" in job.error


def test_without_a_news_server_posts_wait_in_quarantine_and_say_what_to_do(gated):
    ants = gated(1)

    settings.POSTROAD = dataclasses.replace(settings.POSTROAD, nntp=Nntp())
    gate(ants)
    assert "set host in [nntp]" in Job.objects.get(queue="usenet").error


@pytest.mark.parametrize(
    "answers",
    [(b"",), (b"nonsense\r\n",), (b"200 hi\r\n", b"200 reader\r\n", b""), (b"400 going down\r\n",), (b"200 no end",)],
)
def test_a_broken_server_is_a_server_that_is_away(scripted, answers):
    port, _ = scripted(*answers)
    with pytest.raises(NewsAway), NewsServer(Nntp(host="127.0.0.1", port=port, timeout=1)) as server:
        server.group("test.ants")


def test_signing_in_is_told_in_two_steps(scripted):
    port, heard = scripted(
        b"200 hi\r\n", b"381 more\r\n", b"281 welcome\r\n", b"200 reader\r\n", b"211 3 1 3 test.ants\r\n"
    )
    with NewsServer(Nntp(host="127.0.0.1", port=port, user="gate", password="secret", timeout=20)) as server:
        assert server.group("test.ants").last == 3
    assert heard[:2] == [b"AUTHINFO USER gate\r\n", b"AUTHINFO PASS secret\r\n"]


def test_a_group_name_cannot_bring_a_command_of_its_own(scripted):
    port, heard = scripted(b"200 hi\r\n", b"200 reader\r\n", b"211 0 1 0 x\r\n")
    with pytest.raises(NewsRefused), NewsServer(Nntp(host="127.0.0.1", port=port, timeout=20)) as server:
        server.group("test.ants\r\nQUIT")
    assert not any(line.startswith(b"GROUP") for line in heard)
