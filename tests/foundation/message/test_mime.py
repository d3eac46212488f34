"""The tree of parts: right where the mail is right, defined and cheap where it is built to hurt."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.addresses import parse_addresses
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Append, Headers, apply_edits
from postroad.foundation.message.mime import MimeTooComplex, first_text, walk
from tests.effort import ends_within

pytestmark = pytest.mark.sqlite_only

MB = 1 << 20
MIXED = (
    b"Content-Type: multipart/mixed; boundary=out\r\n\r\npreamble\r\n"
    b"--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
    b"--in\r\n\r\nplain\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>\r\n--in--\r\n"
    b"--out  \r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nforwarded\r\n"
    b"--out\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''%e2%82%ac.pdf\r\n\r\nSGV sbG8\r\n--out--\r\nepilogue\r\n"
)


def shape(part):
    return (part.content_type, [shape(child) for child in part.children]) if part.children else part.content_type


def body(raw, part):
    return raw[part.body : part.end]


def test_the_tree_of_an_ordinary_mail():
    root = walk(MIXED)
    assert shape(root) == (
        "multipart/mixed",
        [
            ("multipart/alternative", ["text/plain", "text/html"]),
            ("message/rfc822", ["text/plain"]),
            "application/pdf",
        ],
    )
    parts = list(root.walk())
    assert [body(MIXED, part) for part in (parts[2], parts[3], parts[5])] == [b"plain", b"<p>", b"forwarded"]
    assert parts[5].headers.get("subject") == "inner"
    assert (parts[6].filename, parts[6].decoded(MIXED)) == ("€.pdf", b"Hello")
    assert first_text(root).text(MIXED) == "plain"


def test_parts_of_a_digest_are_mails_unless_they_say_otherwise():
    raw = (
        b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nx\n--b\nContent-Type: text/plain\n\ny\n"
    )
    assert shape(walk(raw)) == ("multipart/digest", [("message/rfc822", ["text/plain"]), "text/plain"])


def test_an_outer_boundary_ends_all_that_is_open():
    raw = (
        b"Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/mixed; boundary=in\n\n"
        b"--in\n\na\n--out\n\nb\n--in\n\nno part\n--out--\n"
    )
    root = walk(raw)
    assert shape(root) == ("multipart/mixed", [("multipart/mixed", ["text/plain"]), "text/plain"])
    assert body(raw, root.children[1]) == b"b\n--in\n\nno part"


@pytest.mark.parametrize(
    ("raw", "bodies"),
    [
        (b"--b\n\none\n--b\n\ntwo", [b"one", b"two"]),  # the closing boundary is missing
        (b"--b\n--b\n\nx\n--b--", [b"", b"x"]),
        (b"--b\nno header\n--b--\n--b\n\nbehind the end\n", [b"no header"]),
        (b"--b \t\r\n\r\nspaces\r\n--b--x\r\n--bb\r\n--b--\r\n", [b"spaces\r\n--b--x\r\n--bb"]),
        (b"none at all", []),
    ],
)
def test_boundaries_as_they_are_seen(raw, bodies):
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + raw
    assert [body(raw, part) for part in walk(raw).children] == bodies


def test_a_boundary_may_look_like_an_encoded_word():
    """RFC 2046 §5.1.1 allows each of its characters."""
    raw = b'Content-Type: multipart/mixed; boundary="=?utf-8?q?a=20b?="\n\n--=?utf-8?q?a=20b?=\n\none\n--=?utf-8?q?a=20b?=--\n'
    assert [body(raw, part) for part in walk(raw).children] == [b"one"]


def test_a_boundary_with_a_colon_does_not_pass_as_a_header_field():
    raw = b'Content-Type: multipart/mixed; boundary="a:b"\n\n--a:b\nX: 1\n--a:b\n\nsecond\n--a:b--\n'
    assert [part.headers.names() for part in walk(raw).children] == [["X"], []]


@pytest.mark.parametrize(
    ("label", "data", "text"),
    [
        ("utf-8", "grüße".encode(), "grüße"),
        ("us-ascii", "grüße".encode(), "grüße"),
        ("iso-8859-1", "gr\xfc\xdfe €".encode("cp1252"), "grüße €"),
        ("iso-2022-jp", "日本語".encode("iso2022_jp"), "日本語"),
        ("gb2312", "联通".encode("gb18030"), "联通"),
        ("utf-16", "hello".encode("utf-16"), "hello"),
        ("no-such-charset", "Привет, как дела? Всё хорошо.".encode("cp1251"), "Привет, как дела? Всё хорошо."),
        ("unicode_escape", b"\\ud800", "\\ud800"),
        ("utf-7", b"+2AA-x", "?x"),
        ("idna", b"xn--bcher-kva", "xn--bcher-kva"),
        ("utf-8", b"nul\0", "nul\ufffd"),
        ("\0\xff", b"x", "x"),
    ],
)
def test_a_charset_that_lies_still_gives_text_a_database_takes(label, data, text):
    raw = f"Content-Type: text/plain; charset={label}\r\n\r\n".encode() + data
    assert walk(raw).text(raw) == text


NEST = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(45))
BOMBS = {
    "100,000 parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000,
    "1,000 deep": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(1000)
    ),
    "1,000 mails in mails": b"Content-Type: message/rfc822\r\n\r\n" * 1000,
    "nested and long": NEST + b"\r\n" + b"line of text\r\n" * (32 * MB // 14),
    "hyphens": NEST + b"\r\n" + b"--\r\n" * (8 * MB),
    "fields in parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + (b"--b\r\n" + b"A: b\r\n" * 5000 + b"\r\nx\r\n") * 990,
    "parameters": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + (b"--b\r\nContent-Type: text/plain" + b'; name="=?foo?q?=E4=81?="' * 800 + b"\r\n\r\nx\r\n") * 990,
    "unlabelled parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + (b"--b\r\nContent-Type: text/plain\r\n\r\n" + b"\xe4\xf6 abc " * 3000) * 900,
    "base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + (b"QUJD" * 19 + b"\r\n") * (32 * MB // 78),
    "header of one field": b"X: " + b"a" * 32 * MB,
    "folded header": b"X: " + b"a\r\n " * (8 * MB),
    "header of spaces": b"X: a\r\n" + (b" " * 100 + b"x\r\n") * (32 * MB // 103),
    "header of fields": b"X: a\r\n" * (32 * MB // 6),
    "no header": b"ab\n" * (10 * MB),
    "a million recipients": b"To: " + b"a@example.com, " * 1_000_000,
    "30 lines of recipients": (b"To: " + b"a@example.com, " * 70_000 + b"\r\n") * 30,
    "encoded words": b"Subject: " + b"=?foo?q?=E4=81?= x " * 50_000,
    "quotes": b"From: " + b'"\\' * 400_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_no_mail_costs_more_than_a_second_or_64_megabytes(bomb):
    """Header, addresses, subject, tree and the text of every leaf, as the stages read them."""

    def read():
        headers = Headers.parse(bomb)
        parse_addresses(value for name in ("from", "to", "cc") for value in headers.get_all(name))
        decode_words(headers.get("subject") or "")
        apply_edits(bomb[: 4 * MB], [Append("List-Id", "<ant.example.com>")])
        try:
            for part in walk(bomb).walk():
                if not part.is_multipart:
                    part.text(bomb)
        except MimeTooComplex:
            return

    assert ends_within(1, read)
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * MB


WORDS = st.lists(
    st.sampled_from([
        b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: multipart/digest; boundary='c:d'\n",
        b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n", b"--b\r\n", b"--b--\r\n", b"--c:d\n",
        b"\r\n", b"\n", b"--b", b"QUJD=\r\n", b"=E4=\r\n", b"\xff\0", b"Content-Type: text/plain; charset=utf-7\r\n",
        b"Content-Transfer-Encoding: quoted-printable\n", b"Content-Disposition: attachment; filename*0*=''%ff\r\n",
    ]) | st.binary(max_size=8),
    max_size=40,
)  # fmt: skip


@given(WORDS)
def test_any_bytes_have_a_tree_whose_parts_lie_in_each_other(words):
    raw = b"".join(words)
    root = walk(raw)
    for part in root.walk():
        assert part.start <= part.body <= part.end <= len(raw)
        part.text(raw).encode()
        position = part.body
        for child in part.children:
            assert position <= child.start
            assert child.end <= part.end
            position = child.end
