"""Postroad's own mail: one header field for each name, whatever the values hold."""

import re
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.addresses import format_address, parse_addresses
from postroad.foundation.message.compose import compose
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers

pytestmark = pytest.mark.sqlite_only

LINE_END = re.compile(rb"\r\n|\r|\n")
PRINTABLE = st.text(st.characters(blacklist_categories=["Cs", "Cc"]))


def made(**more):
    given = {"from_": "ant-owner@example.com", "to": "anne@example.org", "subject": "Hello", "text": "hi\n", **more}
    return compose(**given)


def test_a_mail_has_date_and_message_id_and_crlf_lines():
    raw = made()
    mail = message_from_bytes(raw, policy=default)
    assert mail["message-id"].strip("<>").endswith("@example.com")
    assert mail["date"].datetime is not None
    assert (mail["from"], mail["to"], mail["subject"]) == ("ant-owner@example.com", "anne@example.org", "Hello")
    assert raw.replace(b"\r\n", b"").count(b"\n") == 0


@given(PRINTABLE, st.text())
def test_no_value_brings_a_field_of_its_own(subject, name):
    raw = made(subject=f"{subject}\r\nBcc: evil@example.net\n\nbody", headers={"X-Name": f"{name}\r\nX-Evil: yes"})
    mail = message_from_bytes(raw)
    assert {field.lower() for field in mail} <= {
        "from", "to", "subject", "date", "message-id", "x-name", "mime-version", "content-type",
        "content-transfer-encoding",
    }  # fmt: skip
    assert mail.get_payload(decode=True) == b"hi\r\n"


@pytest.mark.parametrize("text", ["grüße, 日本\n", "x" * 5000 + "\n", "one\n\ntwo\n", ". a dot\n", ""])
def test_a_text_is_read_back_as_it_was(text):
    mail = message_from_bytes(made(text=text), policy=default)
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")


def test_a_mail_that_is_attached_keeps_its_bytes_of_header():
    post = b"Subject: =?nonsense\r\nFrom: a <a@b.c\r\n\r\nbody\r\n"
    mail = message_from_bytes(made(attachments=[post]))
    text, attached = mail.get_payload()
    assert text.get_payload(decode=True).split() == [b"hi"]
    assert attached.get_content_type() == "message/rfc822"
    assert attached.get_payload(0)["subject"] == "=?nonsense"


@given(st.lists(st.binary(), min_size=1, max_size=3))
def test_whatever_is_attached_arrives_as_it_was_but_for_line_ends(posts):
    raw = made(attachments=posts)
    boundary = b"\r\n--" + message_from_bytes(raw).get_boundary().encode()
    _, text, *attached, end = raw.split(boundary)
    assert end == b"--\r\n"
    assert text.endswith(b"\r\n\r\nhi\r\n")
    assert [part.partition(b"\r\n\r\n")[2] for part in attached] == [LINE_END.sub(b"\r\n", post) for post in posts]


@pytest.mark.parametrize("email", ["büä@example.net", "bea@bücher.example", "büä@bücher.example"])
@pytest.mark.parametrize("name", ["", "Bea Müller"])
def test_an_international_address_stands_as_it_is(email, name):
    """No encoded word may stand in an address (RFC 2047 §5)."""
    mail = compose(from_=format_address(name, email), to=email, subject="Grüße", text="hi\n")
    headers = Headers.parse(mail)
    assert [address.email for address in parse_addresses([headers.get("from"), headers.get("to")])] == [email, email]
    assert decode_words(headers.get("subject")) == "Grüße"
