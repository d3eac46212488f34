"""Any octets, in any pieces: the same replies, the same mails, never an exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .conftest import Conversation

pytestmark = pytest.mark.sqlite_only

PIECES = st.sampled_from([
    b"LHLO c\r\n", b"EHLO c\r\n", b"HELO c\r\n", b"MAIL FROM:<>\r\n", b"MAIL FROM:<a@b.c> SIZE=9 BODY=8BITMIME\r\n",
    b"RCPT TO:<ant@example.com>\r\n", b"RCPT TO:<bee@example.com>\r\n", b"DATA\r\n", b"Subject: x\r\n\r\nbody\r\n", b".\r\n",
    b"..\r\n", b"\r\n.\r\n", b"\n.\n", b"\r", b"\n", b".", b"BDAT 4\r\nA: b", b"BDAT 2 LAST\r\n\r\n", b"BDAT 0 LAST\r\n",
    b"BDAT x\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"STARTTLS\r\n", b"VRFY\r\n", b"x" * 1100 + b"\r\n", b"y" * 4000,
    b"MAIL FROM:<\xff>\r\n", b"RCPT TO:<ant@\xc3\xbc.example>\r\n", b"MAIL FROM:<> SIZE=\xc2\xb2\r\n",
])  # fmt: skip


def run(mode, pieces):
    conversation = Conversation(mode)
    said = b"".join(conversation.feed(piece) for piece in pieces)
    return said, conversation.mails


@given(st.sampled_from(["lmtp", "smtp"]), st.lists(PIECES | st.binary(max_size=6), max_size=25), st.data())
def test_replies_do_not_depend_on_how_octets_come(mode, pieces, data):
    wire = (b"LHLO c\r\n" if mode == "lmtp" else b"EHLO c\r\n") + b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    whole = run(mode, [wire])
    assert run(mode, [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]) == whole
    assert run(mode, [wire[i : i + 1] for i in range(len(wire))]) == whole
