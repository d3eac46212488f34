"""Header and footer around a post: its own parts stay byte for byte, and every reader still understands it."""

import email
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.decoration import decorate
from postroad.foundation.message.mime import walk

pytestmark = pytest.mark.sqlite_only

ALTERNATIVE = (
    b"Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--b--\r\n"
)
SIGNED = (
    b'Content-Type: multipart/signed; boundary=s; protocol="application/pgp-signature"\r\nSubject: x\r\n\r\n--s\r\n'
    b"Content-Type: text/plain; charset=us-ascii\r\n\r\nsigned  \r\n\r\n--s\r\nContent-Type: application/pgp-signature\r\n"
    b"\r\nabc\r\n--s--\r\n"
)
MIXED = (
    b'Content-Type: multipart/mixed; boundary="m x"\r\n\r\nfor old readers\r\n--m x\r\n\r\none\r\n--m x\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--m x--\r\nbehind\r\n"
)
LATIN = b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngr\xfc\xdfe\r\n"


def texts(raw):
    """The text of every leaf."""
    return [p.text(raw) for p in walk(raw).walk() if not p.is_multipart]


def test_no_text_changes_nothing():
    assert decorate(LATIN, "", " \n").render({}) == LATIN


def test_a_plain_text_is_lengthened_in_place():
    post = b"Subject: x\r\n\r\nhello"
    said = decorate(post, "top", "bottom\nline").render({})
    label = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
    assert said == b"Subject: x\r\n" + label + b"\r\ntop\r\nhello\r\nbottom\r\nline\r\n"


def test_a_text_in_another_charset_is_rewritten_so_that_both_are_read():
    said = decorate(LATIN, "", "日本").render({})
    assert texts(said) == ["grüße\n日本\n"]
    assert email.message_from_bytes(said, policy=default).get_content_charset() == "utf-8"


def test_a_text_that_is_not_what_its_label_says_is_wrapped_and_kept():
    post = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n/////w==\r\n"
    said = decorate(post, "", "bottom").render({})
    assert b"/////w==\r\n" in said
    assert texts(said)[-1].strip() == "bottom"


def test_format_flowed_stays_flowed():
    post = b"Content-Type: text/plain; format=flowed; delsp=yes; charset=iso-8859-1\r\n\r\ngr\xfc \r\n"
    mail = email.message_from_bytes(decorate(post, "", "ü").render({}), policy=default)
    assert dict(mail["content-type"].params) == {"charset": "utf-8", "format": "flowed", "delsp": "yes"}


def test_a_mixed_mail_gets_parts_and_keeps_its_own():
    said = decorate(MIXED, "top", "bottom").render({})
    assert [text.strip() for text in texts(said)][:2] == ["top", "one"]
    assert texts(said)[-1].strip() == "bottom"
    assert MIXED[MIXED.index(b"--m x\r\n\r\none") : MIXED.index(b"\r\n--m x--")] in said
    assert b"for old readers" in said


@pytest.mark.parametrize("post", [ALTERNATIVE, SIGNED])
def test_anything_else_is_wrapped_and_not_a_byte_of_it_is_touched(post):
    said = decorate(post, "top", "bottom").render({})
    inner = post[post.index(b"\r\n\r\n") :]
    assert inner in said
    root = walk(said)
    assert root.content_type == "multipart/mixed"
    assert [p.content_type for p in root.children][::2] == ["text/plain", "text/plain"]
    assert email.message_from_bytes(said)["subject"] == "x"


def test_a_mixed_mail_that_lost_its_end_gets_one():
    cut = MIXED[: MIXED.index(b"\r\n--m x--")]
    said = decorate(cut, "", "bottom").render({})
    assert texts(said)[-1].strip() == "bottom"
    assert said.endswith(b"--m x--\r\n")


def test_personal_names_become_slots_and_others_stay():
    template = decorate(
        b"Subject: x\r\n\r\nhello\r\n", "", "to $user_email, $list_name ${user_email}!", frozenset({"user_email"})
    )
    assert template.slots == {"user_email"}
    said = template.render({"user_email": "ünne@example.org"})
    assert b"$list_name" in said
    assert said.count("ünne@example.org".encode()) == 2
    assert texts(said)[0].count("ünne@example.org") == 2, "the charset fits what a name may hold"


@given(st.binary(max_size=300), st.text(max_size=20), st.text(max_size=20))
def test_no_mail_makes_it_fail_and_the_post_is_in_it(data, top, bottom):
    post = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + data.replace(b"\r", b"").replace(b"\n", b"\r\n")
    said = decorate(post, top, bottom).render({})
    assert said
