"""Message-IDs as they come, their hash, what a mail answers to, and when it was written."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import (
    MOST_REFERENCES,
    date_of,
    message_id_hash,
    message_id_of,
    new_message_id,
    references_of,
)

pytestmark = pytest.mark.sqlite_only


def header(name, value):
    return Headers.parse(f"{name}: {value}\r\n\r\n".encode())


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("<abc@example.org>", "abc@example.org"),
        ("  <abc@example.org>  (made by hand)", "abc@example.org"),
        ("<[abc@example.org]>", "abc@example.org"),
        ("abc@example.org", "abc@example.org"),
        ("abc@example.org and more", "abc@example.org"),
        ("<>", None),
        ("", None),
        ("   ", None),
        ("<" + "a" * 2000 + "@b>", "a" * 900),
    ],
)
def test_a_message_id_is_read_as_it_is_seen_in_practice(value, read):
    assert message_id_of(header("Message-ID", value)) == read


def test_a_mail_without_one_has_none():
    assert message_id_of(Headers.parse(b"Subject: x\r\n\r\n")) is None


def test_the_hash_is_the_one_old_archives_link_to():
    """The example of Mailman's own documentation of X-Message-ID-Hash."""
    assert message_id_hash("<alpha>") == message_id_hash("alpha") == "XZ3DGG4V37BZTTLXNUX4NABB4DNQHTCP"


@given(st.text())
def test_every_id_has_a_hash_of_32_characters(text):
    assert len(message_id_hash(text)) == 32


def test_made_ids_differ():
    assert len({new_message_id("example.org") for _ in range(1000)}) == 1000


def test_references_stand_oldest_first_and_once():
    headers = Headers.parse(b"References: <1@a> <2@a>\r\n <1@a>\r\nIn-Reply-To: your mail <3@a> of <4@a>\r\n\r\n")
    assert references_of(headers) == ["1@a", "2@a", "3@a"]


def test_of_very_many_references_the_newest_count():
    headers = header("References", " ".join(f"<{n}@a>" for n in range(5000)))
    assert references_of(headers) == [f"{n}@a" for n in range(5000 - MOST_REFERENCES, 5000)]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Thu, 26 Nov 2026 14:00:00 +0100", dt.datetime(2026, 11, 26, 13, tzinfo=dt.UTC)),
        ("Thu, 26 Nov 2026 14:00:00 -0000", dt.datetime(2026, 11, 26, 14, tzinfo=dt.UTC)),
        ("26 Nov 26 14:00 GMT", dt.datetime(2026, 11, 26, 14, tzinfo=dt.UTC)),
        ("Thu, 32 Nov 2026 14:00:00 +0100", None),
        ("Mon, 1 Jan 1900 00:00:00 +1400", None),
        ("Fri, 31 Dec 9999 23:59:59 -1400", None),
        ("Thu, 1 Jan 1970 00:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_read_in_utc_or_not_at_all(value, read):
    assert date_of(header("Date", value)) == read


@given(st.text(max_size=60))
def test_no_date_raises(text):
    date_of(Headers.parse(b"Date: " + text.encode("utf-8", "replace") + b"\r\n\r\n"))
