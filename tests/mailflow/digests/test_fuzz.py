"""Whatever posts are, a digest of them is made, and is a mail."""

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as some

from postroad.foundation.message.headers import Headers
from postroad.mailflow.digests import attached, page, plain
from postroad.mailflow.digests.frame import Frame
from postroad.mailflow.digests.items import Item, _Reader

pytestmark = pytest.mark.sqlite_only

LINES = some.sampled_from([
    b"From: anne@example.org", b"Subject: =?utf-8?q?=E2=82=AC?=", b"Subject: \xff", b"References: <1@x> <2@x> <1@x>",
    b"Content-Type: multipart/mixed; boundary=B", b"Content-Type: text/html; charset=utf-7", b"Content-Type: multipart/digest",
    b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64", b"--B", b"--B--", b"", b"> > quoted",
    b"-" * 30, b"-" * 70, b"<b><blockquote>", b"\0\r\x0b", b"=" * 80, b"{} %s $user_email ${x}", b"Content-Type: multipart/alternative; boundary=B",
])  # fmt: skip
MAILS = some.lists(some.lists(LINES | some.binary(max_size=60)).map(b"\r\n".join), min_size=1, max_size=6)
READER = _Reader("en", None, "https://example.com/lists/ants.example.com")


class _List:
    """What frames ask a list for."""

    fqdn_listname, mail_host = "ants@example.com", "example.com"

    def address(self, part=""):
        return f"ants-{part}@example.com"


@given(MAILS)
def test_every_form_of_every_mail_is_a_mail(mails):
    items = []
    for number, raw in enumerate(mails, 1):
        item = Item(number, f"{number}@x")
        READER._fill(item, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        items.append(item)
    frame = Frame(_List(), "en", "Ants Digest, Vol 1, Issue 1", "Masthead", "", "Footer", items)
    for form in (plain.content, attached.content, page.content):
        _, fields = frame.fields()
        raw = fields + form(frame)
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert not parsed.defects
        assert parsed["subject"] == "Ants Digest, Vol 1, Issue 1"
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert b"\0" not in raw
    assert plain.text(frame).count(f"\n\n{'-' * 30}\n\n") == len(items) + 1
    (*_, digest, _) = email.message_from_bytes(fields + attached.content(frame)).get_payload()
    assert len(digest.get_payload()) == len(items)
    assert Headers.parse(fields).get("from") == "ants-request@example.com"
