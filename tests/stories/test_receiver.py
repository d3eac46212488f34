"""Whatever Postroad emits, a receiver that applies the rules of Gmail, Yahoo and Microsoft finds nothing against it."""

import base64
import dataclasses
import time

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as django_settings

from postroad.community.lists import actions as lists
from postroad.community.notices import actions as notices
from postroad.community.notices.templates import ALL_NAMES
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.queue.worker import Worker
from postroad.foundation.storage import actions as storage
from postroad.mailflow.delivery import signing_keys
from postroad.mailflow.digests import actions as digests
from postroad.mailflow.moderation import actions as moderation
from postroad.mailflow.moderation.models import HeldMessage
from postroad.mailflow.timetable import GATEWAYS, ISSUES, LOOKUPS, STAGES
from tests.mailflow.delivery.engine import deliver
from tests.stories.receiver import Zone, complaints

pytestmark = pytest.mark.django_db(transaction=True)

HOST = "lists.example.com"
FOREIGN = (
    "DKIM-Signature: v=1; a=rsa-sha256; d=plain.example; s=s; h=from; bh=x; b=x\r\n"
    "List-Id: <other.example.org>\r\nList-Unsubscribe: <https://spam.example/>\r\nReturn-Receipt-To: x@example.org\r\n"
)


class Relay:
    """The story's sink, as the delivery engine of a test wants it."""

    def __init__(self, sink) -> None:
        self.sink, self.port = sink, sink.port

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


@pytest.fixture
def site(monkeypatch, name_server):
    """A site with https pages, keys for its domain, authors with a mild and a strict domain; its zone as seen outside."""
    current = django_settings.POSTROAD
    changed = dataclasses.replace(
        current, site=dataclasses.replace(current.site, base_url=f"https://{HOST}", owner=f"postmaster@{HOST}")
    )
    monkeypatch.setattr(django_settings, "POSTROAD", changed)
    lists.create_domain(HOST)
    texts = {f"_dmarc.{HOST}": "v=DMARC1; p=reject", "_dmarc.strict.example": "v=DMARC1; p=reject"}
    for key in signing_keys.make(HOST):
        signing_keys.use(HOST, key.selector)
        texts[key.record_name] = signing_keys.record(key)
    for name, text in texts.items():
        name_server.zone[name] = {"TXT": [text]}
    return Zone(texts, frozenset({HOST}))


@pytest.fixture
def received(site, sink, monkeypatch):
    """Let everything queued go its way, and read it as the receiver: subject → what is wrong with it."""

    def run():
        worker = Worker("receiver", (*STAGES, *GATEWAYS, *LOOKUPS, *ISSUES))
        worker.run_until_idle()
        while Job.objects.filter(state=Job.State.LIVE).exists():
            deliver(Relay(sink), lambda: not Job.objects.filter(queue="delivery").exists(), monkeypatch)
            worker.run_until_idle()
        assert not list(Job.objects.values_list("queue", "error"))
        return {
            (str(number), mail.content.partition(b"\r\nSubject: ")[2].partition(b"\r\n")[0].decode()): wrong
            for number, mail in enumerate(sink.mails)
            if (wrong := complaints(mail.sender, mail.content, site, HOST))
        }

    return run


def join(mailing_list, email, **options):
    return subscriptions.join(
        mailing_list, email, **{"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False, **options}
    )  # fmt: skip


def make(name, **config):
    made = lists.create_list(f"{name}@{HOST}")
    join(made, "anne@plain.example", display_name="Anne Ünal")
    join(made, "boris@strict.example")
    if config:
        lists.change_settings(made, config)
    return made


def key_of(domain, zone):
    """A key of an author's domain, published under `s`."""
    made = rsa.generate_private_key(65537, 2048)
    public = made.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    zone.texts[f"s._domainkey.{domain}"] = f"v=DKIM1; p={base64.b64encode(public).decode()}"
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def post(
    mailing_list, author="anne@plain.example", text="Hällo.\r\n", kind="posting", subject="hello", extra="",
    signed=bytes, **envelope,
):  # fmt: skip
    number = Step.objects.count()
    raw = (
        f"{extra}From: An Author <{author}>\r\nTo: {mailing_list.fqdn_listname}\r\nSubject: {subject}\r\nDate: "
        f"Thu, 26 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{number}.{time.time_ns()}@plain.example>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"
    ).encode()
    raw = signed(raw)
    name = {
        "posting": "moderation",
        "owner": "moderation",
        "request": "mail_commands",
        "join": "mail_commands",
        "leave": "mail_commands",
    }[kind]
    queue.put(name, Envelope(
        journey=queue.new_journey(), message=storage.store(raw), message_id=f"{number}.{time.time_ns()}@plain.example",
        received_at=time.time(), size=len(raw), list_id=mailing_list.list_id, sender=author, kind=kind,
        recipient=mailing_list.fqdn_listname, **envelope,
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("author", "config"),
    [
        ("anne@plain.example", {}),
        ("anne@plain.example", {"personalize": "full"}),
        ("anne@plain.example", {"anonymous_list": True}),
        ("anne@plain.example", {"reply_goes_to_list": "point_to_list", "subject_prefix": "[Ünal %d] "}),
        ("anne@plain.example", {"allow_list_posts": False, "default_member_action": "accept"}),
        ("boris@strict.example", {"dmarc_mitigate_action": "munge_from"}),
        ("boris@strict.example", {"dmarc_mitigate_action": "wrap_message"}),
        (
            "boris@strict.example",
            {"dmarc_mitigate_action": "wrap_message", "dmarc_wrapped_message_text": "Wrapped, since Ünal."},
        ),
        ("anne@plain.example", {"dmarc_mitigate_action": "munge_from", "dmarc_mitigate_unconditionally": True}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_posts(received, sink, author, config):
    made = make("dogs", **config)
    post(made, author, extra=FOREIGN)
    assert received() == {}
    assert len(sink.mails) == 2


@pytest.mark.parametrize("author", ["anne@plain.example", "boris@strict.example"])
def test_posts_of_a_list_that_changes_nothing(received, author):
    """It cannot say in the text how to leave, or the author's signature would break; that is all there is to find.

    A signature that is not the author's saves nobody from a rewritten From.
    """
    post(make("dogs", transparent=True, dmarc_mitigate_action="munge_from"), author, extra=FOREIGN)
    assert {one for wrong in received().values() for one in wrong} == {"the text does not say how to unsubscribe"}


def test_a_post_from_usenet(received, sink):
    post(make("dogs", default_nonmember_action="accept"), "poster@plain.example", from_usenet=True)
    assert received() == {}
    assert len(sink.mails) == 2


def test_digests_of_every_kind(received, sink):
    made = make("dogs", digest_send_periodic=False)
    for number, mode in enumerate(("plaintext_digests", "mime_digests", "summary_digests")):
        join(made, f"reader{number}@plain.example", delivery_mode=mode)
    for number in range(3):
        post(made, subject=f"Thema {number}", text="Grüße\r\n")
    assert received() == {}
    before = len(sink.mails)
    digests.send(made)
    assert received() == {}
    assert len(sink.mails) == before + 3


def test_mail_to_the_owners(received, sink, site):
    """It goes on as it came, so that the author's own signature vouches for it."""
    made = make("dogs")
    join(made, "olga@plain.example", role="owner")
    key = key_of("plain.example", site)
    post(made, kind="owner", signed=lambda raw: dkim.sign(raw, b"s", b"plain.example", key) + raw)
    assert received() == {}
    assert len(sink.mails) == 1


def test_what_happens_to_a_held_post(received, sink):
    """The moderators' notice with the post in it, the author's two, and the post itself when it passes."""
    made = make("dogs", emergency=True, admin_immed_notify=True, respond_to_post_requests=True)
    join(made, "olga@plain.example", role="moderator")
    for _ in range(2):
        post(made)
    assert received() == {}
    for held, action in zip(list(HeldMessage.objects.all()), ("accept", "reject"), strict=True):
        moderation.decide(held, action, "Not here, please.")
    assert received() == {}


def test_joining_and_leaving(received, sink):
    made = make("dogs", send_welcome_message=True, send_goodbye_message=True, admin_notify_mchanges=True)
    join(made, "olga@plain.example", role="owner")
    made.refresh_from_db()
    join(made, "new@plain.example", send_welcome_message=True, pre_confirmed=True)
    join(made, "asked@plain.example", pre_confirmed=False, pre_verified=False)
    join(made, "guest@plain.example", invitation=True, pre_confirmed=False)
    subscriptions.remove(join(made, "gone@plain.example").member)
    assert received() == {}
    assert len(sink.mails) >= 4


@pytest.mark.parametrize("text", ["help\r\nlists\r\nwho\r\n", "nonsense\r\n", "set digest plain\r\n"])
def test_answers_to_commands(received, sink, text):
    post(make("dogs"), kind="request", subject="", text=text)
    assert received() == {}
    assert sink.mails


@pytest.mark.parametrize("language", ["en", "de", "ja", "ar"])
def test_every_notice(received, sink, language):
    """Each text that comes with Postroad, in each writing direction and script."""
    made = make("dogs", preferred_language=language)
    names = [name for name in ALL_NAMES if not name.startswith("list:member")]
    for name in names:
        notices.send_notice(
            name, mailing_list=made, to=["anne@plain.example"], subject=f"{name} Grüße", language=language,
            values={"member": "Ünal <u@plain.example>", "subject": "hällo"}, attachments=[b"Subject: inner\r\n\r\nx\r\n"],
        )  # fmt: skip
    assert received() == {}
    assert len(sink.mails) == len(names)


def test_mail_of_the_site_itself(received, sink):
    notices.send(
        list_id="", from_=f"postmaster@{HOST}", to=["anne@plain.example"], to_header="anne@plain.example",
        subject="The mail relay refuses a mail", body="Grüße",
    )  # fmt: skip
    assert received() == {}
    assert len(sink.mails) == 1


def test_the_receiver_sees_what_is_wrong(site):
    """A mail with everything wrong: the rules are really asked."""
    raw = (
        b"From: a@strict.example, b@strict.example\r\nSubject: x\r\nSubject: y\r\nList-Id: <x.example.org>\r\n\r\n"
        + b"x" * 1000 + b"\n"
    )  # fmt: skip
    found = " ".join(complaints("x@strict.example", raw, site, HOST))
    for word in (
        "2 fields Subject",
        "0 fields Date",
        "bare",
        "998",
        "SPF",
        "no signature",
        "From",
        "List-Id",
        "one-click",
    ):
        assert word in found
    spoofed = b"From: a@strict.example\r\nTo: x@example.org\r\nSubject: x\r\nMessage-ID: <1@example.org>\r\n\r\nx\r\n"
    assert any("DMARC" in one for one in complaints(f"x@{HOST}", spoofed, site, HOST))
