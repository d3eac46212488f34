"""Headers as bytes: what is not edited stays byte for byte."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.headers import (
    Append,
    Headers,
    Prepend,
    Remove,
    RemovePrefix,
    Replace,
    apply_edits,
    fold,
)

pytestmark = pytest.mark.sqlite_only

MAIL = (
    b"Received: from a\r\n\tby b\r\nSubject:  Hello \r\n  world\r\nX-Odd :\tvalue\r\nFrom: anne@example.com\r\n"
    b"received: second\r\n\r\nBody: not a header\r\n"
)


def test_values_are_unfolded_and_found_in_any_case():
    headers = Headers.parse(MAIL)
    assert headers.names() == ["Received", "Subject", "X-Odd", "From", "received"]
    assert headers.get("SUBJECT") == "Hello   world"
    assert headers.get_all("Received") == ["from a\tby b", "second"]
    assert headers.get("x-odd") == "value"
    assert headers.get("Body") is None
    assert MAIL[headers.body_offset :] == b"Body: not a header\r\n"


def test_without_edits_the_mail_is_the_same_object():
    assert apply_edits(MAIL, []) is MAIL


def test_edits_leave_every_other_byte():
    edited = apply_edits(
        MAIL, [Replace("subject", "New"), Remove("X-ODD"), Append("List-Id", "<ant.example.com>"), Prepend("A", "b")]
    )
    assert edited == (
        b"A: b\r\nReceived: from a\r\n\tby b\r\nsubject: New\r\nFrom: anne@example.com\r\nreceived: second\r\n"
        b"List-Id: <ant.example.com>\r\n\r\nBody: not a header\r\n"
    )


def test_all_fields_of_a_prefix_go():
    assert apply_edits(b"List-Id: a\nlist-post: b\nListen: c\n\n", [RemovePrefix("List-")]) == b"Listen: c\n\n"


def test_a_mail_without_body_gets_its_header_ended():
    assert apply_edits(b"Subject: x", [Append("A", "b")]) == b"Subject: x\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("value", ["a\r\nBcc: evil@example.com", "a\nb", "a\rb", "a\0b"])
def test_no_value_brings_a_header_of_its_own(value):
    with pytest.raises(ValueError, match="line breaks"):
        fold("Subject", value)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\t"), max_size=3000))
def test_a_folded_value_is_read_back_and_no_line_is_too_long(value):
    data = fold("Subject", value)
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    headers = Headers.parse(data + b"\r\n")
    assert headers.names() == ["Subject"]
    if all(len(word) < 200 for word in re.split("[ \t]", value)):
        assert headers.get("subject") == value.strip(" \t")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_mail(data):
    headers = Headers.parse(data)
    assert 0 <= headers.body_offset <= len(data)
    for field in headers:
        assert data[field.start : field.end] == field.raw
        assert isinstance(field.value, str)
    assert apply_edits(data, [Remove("x-not-there"), Append("X-New", "1")]).endswith(data[headers.body_offset :])


def test_a_control_character_reaches_neither_database_nor_another_field():
    headers = Headers.parse(b"Subject: a\0b\rBcc: c\x7f\r\n\r\n")
    assert headers.get("subject") == "a b Bcc: c "


def test_more_header_than_is_looked_at_is_kept_as_it_is():
    big = b"A: b\r\n" * 12_000 + b"\r\nbody"
    headers = Headers.parse(big)
    assert (headers.excessive, len(headers.fields)) == (True, 10_000)
    assert big[headers.body_offset :] == b"body"
    assert apply_edits(big, [Append("X-New", "1")]) == big[:-8] + b"\r\nX-New: 1\r\n\r\nbody"


def test_an_mbox_line_is_no_header():
    assert Headers.parse(b"From anne Mon\nSubject: x\n>From me\nA: b\n\n").names() == ["Subject", "A"]


def test_the_body_begins_where_no_field_is():
    raw = b"Subject: x\r\nhello\r\nA: b\r\n"
    headers = Headers.parse(raw)
    assert (headers.names(), raw[headers.body_offset :]) == (["Subject"], b"hello\r\nA: b\r\n")
    assert Headers.parse(b"just text\n\nmore").body_offset == 0


def test_a_line_of_white_space_goes_on_with_the_field():
    assert Headers.parse(b"A: b\r\n \r\n\tc\r\nD: e\r\n\r\n").names() == ["A", "D"]
