"""Which signatures a change breaks; dkimpy, with keys, agrees."""

import pytest

from postroad.foundation.message.signatures import broken_by

from .signing import signed, verifies

pytestmark = pytest.mark.sqlite_only

MAIL = b"From: a@example.org\r\nTo: ant@example.com\r\nSubject: Hello\r\n\r\nBody.\r\n"
SIGNED = signed(MAIL)


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (SIGNED, ""),
        (b"List-Id: <ant.example.com>\r\n" + SIGNED, ""),
        (SIGNED.replace(b"Subject: Hello", b"Subject: [Ant] Hello"), "subject"),
        (SIGNED.replace(b"To: ant@example.com\r\n", b""), "to"),
        (SIGNED + b"Footer\r\n", "body"),
        (MAIL, "dkim-signature"),
    ],
)
def test_a_change_that_matters_is_named(after, change):
    assert broken_by(SIGNED, after) == ({"example.org": change} if change else {})
    assert verifies(after) == (change == "")


def test_a_field_signed_though_absent_must_stay_absent():
    """RFC 6376 §8.15: oversigning."""
    raw = signed(MAIL, [b"from", b"from", b"subject", b"list-id"])
    assert broken_by(raw, b"List-Id: <x>\r\n" + raw) == {"example.org": "list-id"}
    assert not verifies(b"List-Id: <x>\r\n" + raw)
