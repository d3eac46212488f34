"""A pruned mail keeps every byte that was not touched."""

import pytest

from postroad.foundation.message.tree import serialised, tree

pytestmark = pytest.mark.sqlite_only

MAIL = (
    b'From: a@example.org\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\npreamble\r\n'
    b"--b\r\nX-Odd:\tone\r\nContent-Type: text/plain\r\n\r\none \r\n--b\r\nContent-Type: image/png\r\n\r\ntwo\r\n"
    b"--b\r\n\r\nthree\r\n--b--\r\nepilogue\r\n"
)


def test_an_untouched_mail_is_the_same_bytes():
    assert serialised(MAIL, tree(MAIL)) == MAIL


def test_a_part_goes_and_the_others_keep_their_bytes():
    root = tree(MAIL)
    root.keep([child for child in root.children if child.content_type != "image/png"])
    assert serialised(MAIL, root) == (
        b'From: a@example.org\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nX-Odd:\tone\r\nContent-Type: text/plain\r\n\r\none \r\n--b\r\n\r\nthree\r\n--b--\r\n"
    )


def test_a_mail_that_becomes_its_part_keeps_its_own_fields():
    root = tree(MAIL)
    root.become(root.children[1], is_mail=True)
    assert serialised(MAIL, root) == b"From: a@example.org\r\nContent-Type: image/png\r\n\r\ntwo"


def test_a_part_whose_type_went_without_saying_says_it_elsewhere():
    """RFC 2046 §5.1.5: in a multipart/digest the default is message/rfc822."""
    raw = MAIL.replace(b"multipart/mixed", b"multipart/digest")
    root = tree(raw)
    root.become(root.children[2], is_mail=True)
    assert b"Content-Type: message/rfc822\r\n" in serialised(raw, root)
