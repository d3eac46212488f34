"""Socketmap questions come whole whatever the pieces; what is none ends the conversation and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailflow.intake.socketmap import (
    LONGEST_QUESTION,
    NOT_FOUND,
    NotSocketmap,
    Question,
    Questions,
    found,
    try_later,
)

pytestmark = pytest.mark.sqlite_only


def netstring(payload: bytes) -> bytes:
    return b"%d:%s," % (len(payload), payload)


def test_replies_are_the_netstrings_postfix_expects():
    """socketmap_table(5), `REPLY FORMAT`."""
    assert found("lmtp:inet:[127.0.0.1]:8024") == b"29:OK lmtp:inet:[127.0.0.1]:8024,"
    assert found("ü") == "5:OK ü,".encode()
    assert netstring(b"NOTFOUND ") == NOT_FOUND
    assert try_later("the database is away") == netstring(b"TEMP the database is away")


def test_questions_that_come_together_are_all_told():
    wire = netstring(b"recipients ant@example.com") + netstring(b"domains example.com") + b"20:rec"
    questions = Questions()
    assert list(questions.receive(wire)) == [
        Question("recipients", "ant@example.com"), Question("domains", "example.com"),
    ]  # fmt: skip
    assert list(questions.receive(b"ipients  x@y.org ,")) == [Question("recipients", " x@y.org ")]


@pytest.mark.parametrize(
    "wire",
    [
        b"get ant@example.com\n", b"request=smtpd_access_policy\n", b":x,", b"5;hello,", b"-1:,", b"+5:a b c,",
        b"007:a b c d,", b"3:a bX", b"4:nono,", b"99999:", b"123456", b"\xc2\xb2:a b", b"%d:" % (LONGEST_QUESTION + 1),
    ],
)  # fmt: skip
def test_what_is_no_question_ends_the_conversation(wire):
    with pytest.raises(NotSocketmap):
        list(Questions().receive(wire))


@given(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=60)).map(b" ".join), max_size=5), st.data())
def test_questions_do_not_depend_on_how_octets_come(payloads, data):
    wire = b"".join(map(netstring, payloads))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    asked = Questions()
    pieces = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    told = [question for piece in pieces for question in asked.receive(piece)]
    assert [f"{q.map} {q.key}" for q in told] == [payload.decode("utf-8", "replace") for payload in payloads]


@given(st.lists(st.sampled_from([b"5:a b c,", b"5:", b"a b", b",", b":", b"9", b"0:,", b" "]) | st.binary(max_size=9)))
def test_any_octets_are_questions_or_an_end(pieces):
    """Never another exception, and never more in memory than one question."""
    asked = Questions()
    try:
        for piece in pieces:
            list(asked.receive(piece))
            assert len(asked._buffer) <= LONGEST_QUESTION + 6 + len(piece)
    except NotSocketmap:
        pass
