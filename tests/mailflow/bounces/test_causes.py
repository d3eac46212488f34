"""What a failure says about the recipient."""

import pytest

from postroad.mailflow.bounces.causes import cause_of

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("status", "words", "cause"),
    [
        ("5.1.1", "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown", "address"),
        ("5.1.2", "domain not found", "address"),
        ("5.4.4", "unable to route", "address"),
        ("5.2.1", "mailbox disabled", "address"),
        ("5.2.2", "552 mailbox full", "full"),
        ("5.7.26", "this mail is unauthenticated", "policy"),
        ("5.7.515", "Access denied, sending domain does not pass DMARC", "policy"),
        ("5.1.1", "blocked for spam, see our policy page", "policy"),
        ("5.6.0", "message content rejected", "policy"),
        ("5.0.0", "user unknown", "address"),
        ("5.0.0", "over quota", "full"),
        ("", "550 user unknown", "address"),
        ("", "554 rejected as spam", "policy"),
        ("4.2.2", "mailbox full, trying again", "temporary"),
        ("", "552 5.2.2 quota exceeded", "full"),
    ],
)
def test_enhanced_codes_are_told_apart(status, words, cause):
    assert cause_of(status, words) == cause
