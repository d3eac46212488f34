"""What must not go on: passwords, receipts, hidden recipients, and on an anonymous list whoever wrote."""

from postroad.community.lists import actions as lists
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage
from postroad.mailflow.pipeline.worker import work

from .conftest import body_of, envelope, header, mail

TRACES = {
    "sender": "anne@example.org", "reply_to": "anne@example.org", "organization": "Anne's", "x_face": "anne",
    "received": "from anne.example.org", "dkim_signature": "v=1; d=example.org; i=anne@example.org; b=x",
    "autocrypt": "addr=anne@example.org", "arc_seal": "d=example.org", "user_agent": "Annes", "list_id": "<anne.x>",
    "cc": "Anne <anne@example.org>, bart@example.net", "x_mailer": "Annes", "resent_from": "anne@example.org",
}  # fmt: skip


def test_an_anonymous_list_tells_nothing_of_the_author(copy):
    made = copy(mail(references="<other@example.net>", **TRACES), {"anonymous_list": True, "description": "Ants"})
    assert b"anne" not in made.lower()
    assert header(made, "From") == ["Ants <ant@example.com>"]
    assert header(made, "Reply-To") == ["ant@example.com"]
    assert header(made, "Cc") == ["bart@example.net"]
    assert header(made, "References") == ["<other@example.net>"]
    assert header(made, "Message-ID") != ["<one@example.org>"]


def test_neither_archive_nor_digest_learn_who_wrote_to_an_anonymous_list(ant):
    lists.change_settings(ant, {"anonymous_list": True})
    raw = mail(**TRACES)
    work(envelope(ant, raw, message=storage.store(raw)))
    kept = {job.queue: decode(bytes(job.envelope)) for job in Job.objects.filter(queue__in=["archive", "digests"])}
    assert set(kept) == {"archive", "digests"}
    for e in kept.values():
        assert b"anne" not in storage.load(e.message).lower()
        assert f"<{e.message_id}>" in header(storage.load(e.message), "Message-ID")


def test_the_password_is_not_archived(ant):
    raw = mail(approved="opensesame")
    work(envelope(ant, raw, message=storage.store(raw)))
    kept = decode(bytes(Job.objects.get(queue="archive").envelope))
    assert b"opensesame" not in storage.load(kept.message)
    assert body_of(storage.load(kept.message)) == body_of(raw)


def test_the_archive_gets_an_ordinary_post_as_it_came(ant):
    raw = mail()
    work(envelope(ant, raw, message=storage.store(raw)))
    assert decode(bytes(Job.objects.get(queue="archive").envelope)).message == storage.key_of(raw)


def test_hidden_recipients_stay_hidden(copy):
    assert b"secret@example.net" not in copy(mail(bcc="secret@example.net"))
