"""On a transparent list the author's DKIM signature still verifies at every member."""

import pytest

from postroad.foundation.message.headers import Headers

from ...foundation.message.signing import signed, verifies
from .conftest import header, mail

TRANSPARENT = {"transparent": True}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"subject_prefix": "[Ants] ", "reply_goes_to_list": "point_to_list"},
        {"first_strip_reply_to": True, "personalize": "full"},
        {"dmarc_mitigate_action": "munge_from"},
        {"dmarc_mitigate_action": "wrap_message", "dmarc_mitigate_unconditionally": True},
    ],
)
def test_the_authors_signature_verifies_whatever_else_is_set(copy, settings):
    raw = signed(mail(reply_to="bart@example.net", mime_version="1.0", content_type="text/plain"))
    made = copy(raw, {**TRANSPARENT, **settings}, dmarc=True)
    assert verifies(raw)
    assert verifies(made)
    assert header(made, "List-Id") == ["<ant.example.com>"]
    assert header(made, "List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert header(made, "From") == ["Anne Person <anne@example.org>"]


def test_an_ordinary_list_breaks_it(copy):
    assert not verifies(copy(signed(mail())))


def test_a_receipt_asked_for_under_signature_is_left_in(copy):
    raw = signed(mail(return_receipt_to="anne@example.org"), [b"from", b"return-receipt-to"])
    assert verifies(copy(raw, TRANSPARENT))


@pytest.mark.parametrize("fields", [[b"from", b"list-unsubscribe"], [b"from", b"list-id"], [b"from", b"approved"]])
def test_where_a_signature_cannot_be_kept_from_is_rewritten_as_ever(copy, fields):
    """Signed list fields of another list, or a signed password, have to go."""
    raw = signed(mail(list_id="<bee.example.net>", approved="opensesame"), fields)
    made = copy(raw, {**TRANSPARENT, "dmarc_mitigate_action": "munge_from"}, dmarc=True)
    assert header(made, "From") == ["Anne Person via Ant <ant@example.com>"]
    assert b"opensesame" not in made


def test_an_unsigned_post_of_a_strict_domain_is_rewritten(copy):
    made = copy(mail(), {**TRANSPARENT, "dmarc_mitigate_action": "munge_from"}, dmarc=True)
    assert header(made, "From") == ["Anne Person via Ant <ant@example.com>"]


def test_the_body_is_byte_for_byte_the_authors(copy):
    raw = mail(b"a\r\n\r\n-- \r\nA \xff\r\n")
    made = copy(raw, TRANSPARENT)
    assert made[Headers.parse(made).body_offset :] == b"a\r\n\r\n-- \r\nA \xff\r\n"
