"""Reading what came back: reports, complaints, answers of machines, noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailflow.bounces.reports import read

pytestmark = pytest.mark.sqlite_only

DSN = (
    b"From: mailer-daemon@mx.example.net\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
    b"Original-Recipient: rfc822; Anne@Example.org\r\nFinal-Recipient: rfc822; anne@inside.example.org\r\n"
    b"Action: %s\r\nStatus: %s\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
    b"Final-Recipient: rfc822; bob@example.org\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
    b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <one@example.org>\r\n\r\n--b--\r\n"
)


def test_a_delivery_report_names_the_original_recipient_who_failed():
    report = read(DSN % (b"failed", b"5.1.1"))
    assert report.kind == "failure"
    assert [(f.email, f.cause) for f in report.failures] == [("anne@example.org", "address")]
    assert b"one@example.org" in report.returned


@pytest.mark.parametrize("action", ["failed", "Failed", "failure", "error", "failed (Bad destination mailbox address)"])
def test_a_failure_is_known_by_the_words_seen_in_practice(action):
    raw = DSN % (action.encode(), b"5.1.1")
    assert [failure.email for failure in read(raw).failures] == ["anne@example.org"]


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "", "fail"])
def test_what_is_no_failure_counts_for_nobody(action):
    assert read(DSN % (action.encode(), b"5.1.1")).failures == ()


def test_a_delay_is_never_a_failure():
    assert [f.cause for f in read(DSN % (b"delayed", b"4.4.1")).failures] == ["temporary"]


def test_a_report_inside_the_returned_mail_proves_nothing():
    inner = DSN % (b"failed", b"5.1.1")
    outer = (
        b"From: someone@example.net\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
        b"--o\r\nContent-Type: text/plain\r\n\r\nlook at this\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    assert read(outer + inner + b"\r\n--o--\r\n").failures == ()


def test_an_old_format_is_read():
    qmail = (
        b"From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n\r\n"
        b"Hi. This is the qmail-send program at mx.example.net.\r\n"
        b"I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
        b"This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
        b"<anne@example.org>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n"
        b"--- Below this line is a copy of the message.\r\n\r\n"
    )
    assert [f.email for f in read(qmail).failures] == ["anne@example.org"]


def test_a_vacation_answer_is_no_bounce():
    assert read(b"From: anne@example.org\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n").kind == "automatic"


def test_a_complaint_is_known_by_its_report_type():
    arf = (
        b"From: fbl@receiver.example\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Hello\r\n\r\ntext\r\n--b--\r\n"
    )
    assert read(arf).kind == "complaint"


def test_a_mail_without_from_or_body_is_only_unknown():
    assert read(b"From: \r\nSubject: x\r\n\r\n").kind == "unknown"
    assert read(b"").kind == "unknown"


@given(st.binary(max_size=2000), st.sampled_from([b"", DSN[:200], DSN[:420], DSN % (b"failed", b"5.1.1")]))
def test_whatever_comes_is_read_without_an_error(noise, start):
    read(start + noise)
    read(noise + start)
