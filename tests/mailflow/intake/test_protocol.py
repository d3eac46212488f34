"""LMTP and SMTP by the letter, without a socket."""

import pytest

from postroad.mailflow.intake.events import Reply

from .conftest import Conversation, codes

pytestmark = pytest.mark.sqlite_only

ENVELOPE = ("MAIL FROM:<anne@example.net>", "RCPT TO:<ant@example.com>")


def test_the_greeting_offers_what_is_spoken():
    conversation = Conversation()
    assert codes(conversation.output) == [220]
    said = conversation.feed(b"LHLO client\r\n").decode()
    for word in ("PIPELINING", "SIZE 10000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING"):
        assert f"250-{word}\r\n" in said or f"250 {word}\r\n" in said
    assert "STARTTLS" not in said


def test_lmtp_has_lhlo_and_smtp_has_ehlo():
    assert Conversation("lmtp").say("EHLO x", "HELO x", "LHLO x") == [500, 500, 250]
    assert Conversation("smtp").say("LHLO x", "EHLO x", "HELO x") == [500, 250, 250]


def test_a_whole_mail_in_one_packet_is_taken(lmtp):
    assert lmtp.say(*ENVELOPE, "DATA", "Subject: x", "", "..dot", ".", "QUIT") == [250, 250, 354, 250, 221]
    assert lmtp.mails[0].data == b"Subject: x\r\n\r\n.dot\r\n"
    assert (lmtp.mails[0].mail_from, lmtp.mails[0].recipients) == ("anne@example.net", ("ant@example.com",))


def test_what_a_client_says_of_authentication_is_read_and_not_believed(lmtp):
    said = lmtp.say(f"{ENVELOPE[0]} AUTH=anne@example.net", ENVELOPE[1], "DATA", "Signed-In: anne@example.net", "", ".")
    assert said == [250, 250, 354, 250]
    assert lmtp.mails[0].signed_in == ""


def test_lmtp_answers_once_for_each_recipient_and_smtp_once(lmtp):
    more = (*ENVELOPE, "RCPT TO:<bee@example.com>", "RCPT TO:<ant-owner@example.com>", "DATA", "", ".")
    assert lmtp.say(*more) == [250, 250, 550, 250, 354, 250, 250]
    smtp = Conversation("smtp")
    assert smtp.say("EHLO x", *more) == [250, 250, 250, 550, 250, 354, 250]


def test_an_unknown_address_is_refused_at_rcpt_and_data_needs_one(lmtp):
    assert lmtp.say("MAIL FROM:<>", "RCPT TO:<bee@example.com>", "DATA") == [250, 550, 503]


def test_chunks_are_taken_as_they_are(lmtp):
    assert lmtp.say(*ENVELOPE) == [250, 250]
    assert codes(lmtp.feed(b"BDAT 6\r\nA: b\r\nBDAT 5 LAST\r\n\r\n.\r\n")) == [250, 250]
    assert lmtp.mails[0].data == b"A: b\r\n\r\n.\r\n"


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"])
def test_only_crlf_dot_crlf_ends_a_mail_and_one_with_another_end_is_refused(lmtp, end):
    lmtp.say(*ENVELOPE, "DATA")
    smuggled = b"MAIL FROM:<x@example.net>\r\nRCPT TO:<ant@example.com>\r\nDATA\r\nSubject: evil\r\n\r\n"
    said = lmtp.feed(b"Subject: x\r\n\r\nbody" + end + smuggled + b"\r\n.\r\n")
    assert codes(said) == [550]
    assert lmtp.mails == []


def test_what_is_too_much_is_refused_and_the_session_goes_on(lmtp):
    assert lmtp.say("MAIL FROM:<> SIZE=10001") == [552]
    assert lmtp.say(*ENVELOPE, "DATA", *["x" * 100] * 100, ".") == [250, 250, 354, 552]
    assert lmtp.say("MAIL FROM:<>", *["RCPT TO:<ant@example.com>"] * 6, "RSET") == [250, *[250] * 5, 452, 250]
    assert lmtp.say(*ENVELOPE, "DATA", "fine", ".") == [250, 250, 354, 250]
    assert len(lmtp.mails) == 1


def test_too_many_errors_end_the_session(lmtp):
    assert lmtp.say(*["EXPN x"] * 9) == [500, 500, 500, 500, 500, 421]


@pytest.mark.parametrize("parts", [1, 2, 3, 5])
def test_the_greatest_mail_is_taken_however_its_octets_come(lmtp, parts):
    lmtp.say(*ENVELOPE, "DATA")
    mail = b"x" * 998 + b"\r\n"
    wire = mail * 10 + b".\r\n"
    cuts = [len(wire) - n for n in range(parts - 1, -1, -1)]
    said = b"".join(lmtp.feed(wire[a:b]) for a, b in zip([0, *cuts], cuts, strict=False))
    assert codes(said) == [250]
    assert len(lmtp.mails[0].data) == 10_000


def test_a_line_that_is_too_long_is_refused(lmtp):
    assert lmtp.say(*ENVELOPE, "DATA", "y" * 2000, ".") == [250, 250, 354, 250]
    assert lmtp.say(*ENVELOPE, "DATA", "short", "y" * 2001, ".") == [250, 250, 354, 550]


@pytest.mark.parametrize(
    "parameter", ["SIZE=\u00b2", "SIZE", "BODY=BINARYMIME", "HOLDFOR=60", "RET=HALF", "SMTPUTF8=yes"]
)
def test_a_parameter_that_was_not_offered_or_makes_no_sense_is_refused(lmtp, parameter):
    assert lmtp.say(f"MAIL FROM:<> {parameter}", "MAIL FROM:<>", "RCPT TO:<ant@example.com> BY=9") == [555, 250, 555]


def test_the_parameters_of_dsn_size_and_body_are_taken(lmtp):
    sender = "MAIL FROM:<anne@example.net> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=QQ314159 SMTPUTF8"
    assert lmtp.say(sender, "RCPT TO:<ant@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;ant@example.com") == [250, 250]


def test_no_recipient_comes_after_the_first_chunk(lmtp):
    lmtp.say(*ENVELOPE)
    lmtp.feed(b"BDAT 2\r\nA:")
    assert lmtp.say("RCPT TO:<ant@example.com>") == [503]


def test_an_address_holds_no_control_characters_and_a_reply_is_one_line(lmtp):
    assert lmtp.say("MAIL FROM:<a\x01@b.c>", 'MAIL FROM:<"a\x7fb"@b.c>') == [501, 501]
    assert Reply(451, "4.3.0", "full\r\n250 no").line() == b"451 4.3.0 full 250 no\r\n"
