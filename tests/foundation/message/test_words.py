"""Words that are not ASCII: read whatever they are, written as RFC 2047 and RFC 2231 say."""

import email.header
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.encoded_words import (
    decode_parameters,
    decode_words,
    encode_parameter,
    encode_phrase,
    encode_words,
)

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= Bonn", "Grüße aus Bonn"),
        ("=?iso-8859-1?Q?a?= =?iso-8859-1?Q?_b?=", "a b"),
        ("=?utf-8?b?w7w=?= x =?utf-8?b?w7w=?=", "ü x ü"),
        ("=?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "€"),  # one character in two words
        ("=?utf-8*de?q?=C3=BC?=", "ü"),  # with a language (RFC 2231 §5)
        ("=?gb2312?B?warNqA==?=", "联通"),
        ("=?x-unknown?q?abc?=", "abc"),
        ("=?utf-8?q?a=0D=0ABcc:_b?=", "a  Bcc: b"),
        ("=?utf-8?q?a=00b?=", "a\ufffdb"),
        ("=?utf-8?b?!!!?=", ""),
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("=?utf-8?q?open", "=?utf-8?q?open"),
    ],
)
def test_words_are_read(text, meaning):
    assert decode_words(text) == meaning


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=200))
def test_what_is_written_is_read_back_by_us_and_by_python(text):
    words = encode_words(text)
    assert words.isascii() or not text.isascii()
    assert decode_words(words) == text
    if not text.isascii():
        assert all(len(word) <= 75 for word in words.split(" "))
        assert str(email.header.make_header(email.header.decode_header(words))) == text


@pytest.mark.parametrize("name", ["Anne", "Anne O'Hara", 'Dr. "Who"', "a\\b", "=?utf-8?q?x?=", "ü", "a\r\nBcc: x", ""])
def test_a_name_stays_one_phrase(name):
    phrase = encode_phrase(name)
    assert not re.search(r"[\r\n]", phrase)
    assert phrase.startswith(("=?", '"')) or re.fullmatch(r"[A-Za-z0-9' ]*", phrase)


@pytest.mark.parametrize(
    ("value", "main", "parameters"),
    [
        ("text/plain; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ('TEXT/Plain ;Charset = "a\\"b"', "text/plain", {"charset": 'a"b'}),
        ('a/b; name*0="one "; name*1*=%C3%BC; name*2=" two"', "a/b", {"name": "one ü two"}),
        ("a/b; name*=iso-8859-1'de'%FC", "a/b", {"name": "ü"}),
        ('a/b; name="=?utf-8?q?=C3=BC?="', "a/b", {"name": "ü"}),
        ("a/b; name=x; name*=utf-8''y", "a/b", {"name": "y"}),
        ("a/b; name*²=x; =; ;x", "a/b", {}),
        ("", "", {}),
    ],
)  # fmt: skip
def test_parameters_are_read(value, main, parameters):
    assert decode_parameters(value) == (main, parameters)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=60))
def test_a_parameter_is_read_back(value):
    written = encode_parameter("filename", value)
    if "=?" not in value:
        assert decode_parameters(f"attachment; {written}")[1]["filename"] == value


@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(["=?", "?=", "utf-8", "?q?", "?b?", "=", "_", ";", "*", "'", '"', "%", "\\", " ", "ü"])
    ).map("".join)
)
def test_no_text_makes_reading_fail(text):
    assert isinstance(decode_words(text), str)
    for value in decode_parameters(text)[1].values():
        assert not set(value) & set("\0")
