"""What leaves for the relay is signed by the domain it comes from, whatever kind of mail it is."""

import dataclasses

import dkim
import pytest
from django.conf import settings

from postroad.community.lists import actions as lists
from postroad.foundation.message.segments import Slot, Template, encode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage
from postroad.mailflow.delivery import signing_keys
from tests.mailflow.delivery.engine import deliver, finished, members, send

pytestmark = pytest.mark.django_db(transaction=True)

POST = Template([
    b"From: Anne <anne@example.org>\r\nTo: dogs@example.com\r\nSubject: hello\r\nMessage-ID: <one@example.org>\r\n"
    b"List-Unsubscribe: <", Slot("unsubscribe_url", "header"), b">\r\n", Slot("copy_header"),
    b"\r\nhello\r\n.dots\r\n..\r\n-- \r\nSent to ", Slot("user_email"), b".\r\n\r\n",
])  # fmt: skip


@pytest.fixture
def dogs():
    lists.create_domain("example.com")
    return lists.create_list("dogs@example.com")


@pytest.fixture
def records():
    """Both keys of example.com and of its owner's domain, in use, and their DNS records."""
    found = {}
    for domain in ("example.com", "site.example"):
        for key in signing_keys.make(domain):
            signing_keys.use(domain, key.selector)
            found[f"{key.record_name}.".encode()] = signing_keys.record(key).encode()
    return found


def signers(content, records):
    """The domains whose signatures hold, in dkimpy's opinion."""
    fields = [name for name, _ in dkim.DKIM(content).headers if name.lower() == b"dkim-signature"]
    checkers = [dkim.DKIM(content) for _ in fields]
    assert all(one.verify(idx=i, dnsfunc=lambda name, timeout=5: records[name]) for i, one in enumerate(checkers))
    return sorted(one.domain.decode() for one in checkers)


def template(raw):
    return storage.store(encode(Template([raw] if isinstance(raw, bytes) else raw.parts)))


def test_each_personal_copy_has_signatures_of_its_own(dogs, records, scripted, monkeypatch):
    members(dogs, 5)
    send(template=template(POST), author="m0@example.net")
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    assert [signers(content, records) for _, _, content in relay.messages] == [["example.com"] * 2] * 5
    assert len({content.partition(b"From:")[0] for _, _, content in relay.messages}) == 5


def test_a_bulk_copy_is_signed_once(dogs, records, scripted, monkeypatch):
    members(dogs, 3)
    send(template=template(POST), verp=False)
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    ((_, recipients, content),) = relay.messages
    assert len(recipients) == 3
    assert signers(content, records) == ["example.com"] * 2


@pytest.mark.parametrize(
    ("kind", "author", "signer"),
    [
        ("posting", "anne@site.example", "example.com"),
        ("owner", "anne@site.example", "example.com"),
        ("notice", "postmaster@site.example", "site.example"),
        ("notice", "dogs-owner@example.com", "example.com"),
        ("notice", "postmaster@elsewhere.example", "example.com"),
        ("digest", "dogs-request@example.com", "example.com"),
    ],
)
def test_our_own_mail_is_signed_by_the_domain_in_from_and_others_by_the_list(
    dogs, records, scripted, monkeypatch, kind, author, signer
):
    """DMARC asks for a signature of From's domain; who an author is, nobody has proved to us."""
    raw = f"From: {author}\r\nTo: x@example.net\r\nSubject: hello\r\n\r\nhello\r\n".encode()
    send(template=template(raw), kind=kind, recipients=("x@example.net",), verp=False)
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    assert signers(relay.messages[0][2], records) == [signer] * 2


def test_mail_of_the_site_is_signed_by_its_owners_domain(dogs, records, scripted, monkeypatch):
    raw = b"From: postmaster@site.example\r\nTo: x@example.net\r\nSubject: hello\r\n\r\nhello\r\n"
    send(
        template=template(raw), kind="notice", list_id="", recipients=("x@example.net",), verp=False,
        envelope_sender="postmaster@site.example",
    )  # fmt: skip
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    assert signers(relay.messages[0][2], records) == ["site.example"] * 2


def test_without_a_key_or_with_signing_off_nothing_is_signed(dogs, scripted, monkeypatch):
    members(dogs, 1)
    send(template=template(POST))
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    assert b"DKIM-Signature" not in relay.messages[0][2]
    for key in signing_keys.make("example.com"):
        signing_keys.use("example.com", key.selector)
    monkeypatch.setattr(settings, "POSTROAD", dataclasses.replace(
        settings.POSTROAD, dkim=dataclasses.replace(settings.POSTROAD.dkim, sign=False)
    ))  # fmt: skip
    send(template=template(POST))
    relay = scripted()
    deliver(relay, lambda: not Job.objects.exists(), monkeypatch)
    assert b"DKIM-Signature" not in relay.messages[0][2]


def test_a_post_is_sealed_where_the_site_wants_that(dogs, records, scripted, monkeypatch):
    """RFC 8617: each copy bears the domain's seal over what authentication said on arrival, and its signature."""
    monkeypatch.setattr(settings, "POSTROAD", dataclasses.replace(
        settings.POSTROAD, dkim=dataclasses.replace(settings.POSTROAD.dkim, arc=True)
    ))  # fmt: skip
    members(dogs, 2)
    send(template=template(POST), arc_status="none", arc_results="spf=pass smtp.mailfrom=anne@example.org")
    relay = scripted()
    deliver(relay, finished, monkeypatch)
    for _, _, content in relay.messages:
        assert dkim.arc_verify(content, dnsfunc=lambda name, timeout=5: records[name])[0] == dkim.CV_Pass
        assert b"\r\n\tspf=pass smtp.mailfrom=anne@example.org\r\n" in content
        assert signers(content, records) == ["example.com"] * 2
