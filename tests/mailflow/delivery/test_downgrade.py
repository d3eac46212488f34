"""International mail over relays and to readers that are not (RFC 6530-6533, RFC 6152): per recipient, signed as sent."""

from email import message_from_bytes
from email.policy import default

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.tokens import bounced_email, return_path, today
from postroad.foundation.message.addresses import identity
from postroad.foundation.message.segments import Slot, Template, encode
from postroad.foundation.storage import actions as storage
from postroad.mailflow.delivery import signing_keys
from postroad.mailflow.delivery.downgrade import ascii_header, is_international, seven_bit
from postroad.mailflow.delivery.queries import replies_of
from tests.mailflow.delivery.engine import deliver, finished, send

pytestmark = pytest.mark.django_db(transaction=True)

ALL = ("PIPELINING", "8BITMIME", "SMTPUTF8")


@pytest.fixture
def dogs():
    lists.create_domain("example.com")
    return lists.create_list("dogs@example.com")


@pytest.fixture
def signed():
    """Whether the domain's signature on a mail holds, in dkimpy's opinion."""
    (key,) = signing_keys.make("example.com", ["rsa"])
    signing_keys.use("example.com", key.selector)
    record = signing_keys.record(key).encode()
    return lambda content: dkim.verify(content, dnsfunc=lambda name, timeout=5: record)


def join(mailing_list, email, name=""):
    subscriptions.join(
        mailing_list,
        email,
        display_name=name,
        pre_verified=True,
        pre_confirmed=True,
        pre_approved=True,
        send_welcome_message=False,
    )


def post(*parts):
    return storage.store(encode(Template(list(parts))))


FOREIGN = (
    "From: Ünal <ünal@example.org>\r\nTo: Dogs <dogs@example.com>, 用户 <用户@例子.广告>\r\nCc: info@bücher.example\r\n"
    "Reply-To: ünal@example.org\r\nSubject: Grüße\r\nMessage-ID: <1@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\nHällo\r\n"
).encode()
MIXED = (
    "From: Anne <anne@example.org>\r\nTo: dogs@example.com\r\nSubject: hello\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\npreamble\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße = x \r\n.\r\n"
    "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit\r\n\r\nbin\xe4ry\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nTür\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n-- \r\nAn "
).encode()


def test_a_relay_without_8bitmime_gets_seven_bits_that_are_signed(dogs, signed, scripted, monkeypatch):
    """RFC 6152 §3: encoded before signing; each part, the inner mail and the personal text read the same."""
    join(dogs, "ben@example.net", "Bén Ünal")
    send(template=post(MIXED, Slot("user_name"), b".\r\n--b--\r\n"))
    relay = scripted(extensions=("PIPELINING",))
    deliver(relay, finished, monkeypatch)
    content = relay.messages[0][2]
    assert content.isascii()
    assert signed(content)
    assert max(map(len, content.split(b"\r\n"))) < 998
    mail = message_from_bytes(content, policy=default)
    text, binary, inner, footer = mail.iter_parts()
    assert text.get_content().splitlines() == ["Grüße = x ", "."]
    assert binary.get_content().rstrip() == "binäry".encode()
    assert inner.get_content().get_content().strip() == "Tür"
    assert footer.get_content().splitlines() == ["-- ", "An Bén Ünal."]


def test_a_relay_with_8bitmime_gets_the_bytes_as_they_are(dogs, signed, scripted, monkeypatch):
    join(dogs, "ben@example.net")
    send(template=post(MIXED, b"all.\r\n--b--\r\n"))
    relay = scripted(extensions=ALL)
    deliver(relay, finished, monkeypatch)
    assert relay.messages[0][2].endswith(MIXED + b"all.\r\n--b--\r\n")
    assert any(line.startswith("MAIL") and "BODY=8BITMIME" in line for line in relay.lines)


@pytest.mark.parametrize("verp", [True, False])
def test_an_international_author_is_read_by_everybody(dogs, signed, scripted, monkeypatch, verp):
    """Who has an international address gets the mail as it is, with SMTPUTF8; all others with an ASCII header."""
    for email in ("ben@example.net", "info@bücher.example", "jürgen@example.net"):
        join(dogs, email)
    send(template=post(FOREIGN), verp=verp)
    relay = scripted(extensions=ALL)
    deliver(relay, finished, monkeypatch)
    got = {recipient: content for _, recipients, content in relay.messages for recipient in recipients}
    assert set(got) == {"ben@example.net", "info@xn--bcher-kva.example", "jürgen@example.net"}
    assert got["jürgen@example.net"].endswith(FOREIGN)
    assert all(map(signed, got.values()))
    header = got["ben@example.net"].partition(b"\r\n\r\n")[0]
    assert header.isascii()
    mail = message_from_bytes(got["ben@example.net"], policy=default)
    (author,) = mail["from"].addresses
    assert (author.display_name, author.addr_spec) == ("Ünal (ünal@example.org)", "dogs@example.com")
    assert mail["cc"] == "info@xn--bcher-kva.example"
    assert [a.addr_spec for a in mail["to"].addresses] == ["dogs@example.com"]
    assert "用户" in mail["to"]
    assert mail["reply-to"] is None
    assert mail["subject"] == "Grüße"
    asked = [line for line in relay.lines if line.startswith("MAIL")]
    assert sum("SMTPUTF8" in line for line in asked) == 1


def test_without_smtputf8_the_international_recipient_alone_fails(dogs, scripted, monkeypatch):
    for email in ("ben@example.net", "jürgen@example.net"):
        join(dogs, email)
    send(template=post(FOREIGN))
    relay = scripted(extensions=("PIPELINING", "8BITMIME"))
    deliver(relay, finished, monkeypatch)
    assert [recipients for _, recipients, _ in relay.messages] == [["ben@example.net"]]
    replies = {email: reply for _, email, reply in replies_of("one@example.org")}
    assert "5.6.7" in replies["jürgen@example.net"]
    assert "does not support internationalised addresses" in replies["jürgen@example.net"]


def test_a_domain_in_another_script_needs_nothing_of_the_relay(dogs, scripted, monkeypatch):
    """Its A-labels are known everywhere, in the return path too; what comes back names the member as stored."""
    join(dogs, "info@bücher.example")
    send()
    relay = scripted(extensions=("PIPELINING",))
    deliver(relay, finished, monkeypatch)
    sender, recipients, _ = relay.messages[0]
    assert recipients == ["info@xn--bcher-kva.example"]
    extra = sender.partition("+")[2].partition("@")[0]
    assert bounced_email(dogs.pk, extra) == identity("info@bücher.example")
    stored_in_ascii = return_path("x@example.com", 1, "info@xn--bcher-kva.example", today()).partition("+")[2]
    assert bounced_email(1, stored_in_ascii.partition("@")[0]) == "info@xn--bcher-kva.example"


def test_raw_letters_in_a_subject_are_no_reason_to_change_a_mail():
    """Seen in practice: they pass everywhere, and the author's signature covers them."""
    assert not is_international(Template(["From: Ünal <u@example.org>\r\nSubject: Grüße\r\n\r\n".encode()]))


def test_what_is_signed_inside_stays():
    signed = MIXED.replace(b"multipart/mixed", b"multipart/signed") + b"x\r\n--b--\r\n"
    assert seven_bit(Template([signed])).render({}) == signed


@given(st.lists(st.sampled_from([
    b"From: ", b"To: ", "ü@b".encode(), "a@ü.de".encode(), b", ", b"\r\n", b"\r\n ", b": ", b"<", b">", b"\xff", b'"', b"=?utf-8?q?x?=",
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"\r\n--b\r\n", b"Content-Transfer-Encoding: 8bit\r\n", b"\r\n\r\n",
]), max_size=25), st.text(max_size=10))  # fmt: skip
def test_any_mail_can_be_downgraded(pieces, name):
    """What comes out is ASCII, whatever came in; slots keep their places."""
    raw = b"".join(pieces)
    template = Template([b"Subject: x\r\n", raw, b"\r\n\r\n", Slot("name"), b"\r\n"])
    text = name.encode("utf-8", "replace").decode()
    made = seven_bit(ascii_header(template, "list@example.com")).render({"name": text})
    header = made.partition(b"\r\n\r\n")[0]
    assert header.isascii() or b"boundary" in raw or any(b":" not in line for line in header.split(b"\r\n"))
    is_international(template)
