"""Any mail can be judged: hostile headers, bodies and MIME end in a verdict, and in one step of a journey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.community.lists import actions as lists
from postroad.foundation.queue import actions as queue
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.moderation.worker import work
from tests.effort import ends_within

from .conftest import mail, post

pytestmark = pytest.mark.django_db

NAMES = st.sampled_from(
    [b"From", b"To", b"Cc", b"Subject", b"Reply-To", b"Sender", b"Approved", b"X-Approve", b"List-Id", b"List-Post",
     b"Content-Type", b"Content-Transfer-Encoding", b"Received", b"Precedence", b"Return-Path", b"X-Spam"]
)  # fmt: skip
VALUES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [b"anne@example.org", b'<ant@example.com>, "a" <b@c.example>', b"=?utf-8?b?/w==?=", b"=?x?q?=00?=", b"(" * 50,
         b"multipart/mixed; boundary=b", b'multipart/alternative; boundary=""', b"message/rfc822", b"base64",
         b"quoted-printable", b"text/html; charset=utf-16", b"\xff\xfe", b"unsubscribe", b"<>", b"a@b@c.example"]
    ),
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [b"Approved: \xff\xfe\r\n", b"--b\r\n\r\nApproved: x\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Approved:x\r\n",
         b"--b\r\n--b\r\n--b--", b"unsubscribe\0\r\n", b"\r\n" * 20, b"QXBwcm92ZWQ6IHgK", b"Approved: =00=0D=0A"]
    ),
)  # fmt: skip
MAILS = st.builds(
    lambda fields, body: b"".join(name + b": " + value + b"\r\n" for name, value in fields) + b"\r\n" + body,
    st.lists(st.tuples(NAMES, VALUES), max_size=12),
    BODIES,
)


@given(st.one_of(MAILS, st.binary(max_size=300)), st.sampled_from(["", "anne@example.org", "x\0@y.example"]))
def test_every_mail_gets_a_verdict(ant, anne, name_server, raw, sender):
    lists.change_settings(ant, {"bounce_matching_headers": "Subject: a+b", "dmarc_mitigate_action": "munge_from"})
    verdict = judge(post(ant, raw, sender=sender))
    assert verdict.action in ("accept", "hold", "reject", "discard")


@given(MAILS)
def test_every_mail_ends_in_one_step(ant, anne, name_server, raw):
    envelope = post(ant, raw, message=storage.store(raw)).envelope
    before = len(queue.steps_of("one@example.org"))
    work(envelope)
    steps = [step for step in queue.steps_of("one@example.org")[before:] if step.stage == "moderation"]
    assert [step.outcome in ("accepted", "held", "rejected", "discarded") for step in steps] == [True]


@pytest.mark.parametrize(
    "raw",
    [
        mail(b"x" * 5_000_000),
        b"X-Long: " + b"a " * 5_000_000 + b"\r\n" + mail(),
        mail(b"--b\r\n\r\ntext\r\n" * 900, content_type="multipart/mixed; boundary=b"),
        mail(b"", to=", ".join(f"r{n}@example.org" for n in range(20_000))),
        mail(b"Approved: " + b"x" * 1_000_000 + b"\r\n"),
        mail(b"&nbsp;Approved" * 100_000, content_type="text/html"),
        b"Received: by x\r\n" * 20_000 + mail(),
        mail(subject="=?utf-8?q?" + "=C3" * 100_000 + "?="),
        mail(b"> " * 1_000_000),
    ],
    ids=["body", "header", "parts", "recipients", "password", "html", "received", "subject", "quotes"],
)
def test_no_mail_takes_longer_than_a_second_of_cpu(ant, anne, raw):
    posted = post(ant, raw)
    assert ends_within(1, lambda: judge(posted))


def test_ten_thousand_forged_spams_would_cause_no_mail(ant, anne):
    """Each stranger is new, so a hundred show what ten thousand do: held, and nobody but the moderators is told."""
    lists.change_settings(ant, {"admin_immed_notify": False})
    for number in range(100):
        raw = mail(**{"from": f"victim{number}@example.net"})
        work(post(ant, raw, message=storage.store(raw), sender=f"victim{number}@example.net").envelope)
    from postroad.foundation.queue.models import Job

    assert HeldMessage.objects.count() == 100
    assert not Job.objects.exists()
