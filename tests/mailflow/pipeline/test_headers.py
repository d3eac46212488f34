"""Header fields of an ordinary post: by them programs know a list, and its readers leave it."""

import pytest

from postroad.community.lists import actions as lists
from postroad.foundation.message.message_id import message_id_hash

from .conftest import body_of, header, mail

PAGE = "http://127.0.0.1:8000/lists/ant.example.com"


def test_an_ordinary_post_has_every_list_field_once(copy):
    """RFC 2369, 2919, 5064."""
    made = copy(mail(), {"description": "All about ants"})
    permalink = f"{PAGE}/message/{message_id_hash('one@example.org')}/"
    expected = {
        "List-Id": "All about ants <ant.example.com>",
        "List-Help": "<mailto:ant-request@example.com?subject=help>",
        "List-Owner": "<mailto:ant-owner@example.com>",
        "List-Post": "<mailto:ant@example.com>",
        "List-Subscribe": "<mailto:ant-join@example.com>",
        "List-Archive": f"<{PAGE}/>",
        "Archived-At": f"<{permalink}>",
        "Precedence": "list",
        "Message-ID-Hash": message_id_hash("one@example.org"),
    }
    assert {name: header(made, name) for name in expected} == {name: [value] for name, value in expected.items()}


def test_one_click_leaves_by_web_and_by_mail(copy):
    """RFC 8058 §3.1: an https address first, and the field that says a POST is enough."""
    made = copy(mail())
    assert header(made, "List-Unsubscribe") == ["<<unsubscribe_url>>, <mailto:ant-leave@example.com>"]
    assert header(made, "List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]


def test_list_fields_of_another_list_are_replaced(copy):
    made = copy(
        mail(list_id="<bee.example.net>", list_unsubscribe="<mailto:bee-leave@example.net>", archived_at="<x:>")
    )
    assert header(made, "List-Id") == ["<ant.example.com>"]
    assert b"bee" not in made


def test_without_list_fields_none_are_added(copy):
    made = copy(mail(), {"include_rfc2369_headers": False})
    assert [name for name in ("List-Id", "List-Unsubscribe", "List-Post", "Archived-At") if header(made, name)] == []


def test_a_list_that_takes_no_posts_says_so(copy):
    """RFC 2369 §3.4."""
    assert header(copy(mail(), {"allow_list_posts": False}), "List-Post") == ["NO"]


def test_without_archive_no_address_of_one(copy):
    made = copy(mail(), {"archive_policy": "never"})
    assert header(made, "List-Archive") == header(made, "Archived-At") == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Hello", "[Ant] Hello"),
        ("Re: Hello", "[Ant] Re: Hello"),
        ("Re: [Ant] Hello", "[Ant] Re: Hello"),
        ("[Ant] Re: AW: re[2]: Hello", "[Ant] Re: Hello"),
        ("Sv: VS:Hello", "[Ant] Re: Hello"),
        ("回复: Hello", "[Ant] Re: Hello"),
        ("", "[Ant] (no subject)"),
        ("[Ant]", "[Ant] (no subject)"),
        ("Why [Ant] is in the middle", "[Ant] Why [Ant] is in the middle"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "[Ant] Grüße"),
        ("=?utf-8?b?UmU6IFtBbnRdIEdyw7zDn2U=?=", "[Ant] Re: Grüße"),
        ("=?utf-8?q?Hi=0D=0ABcc=3A_x=40example=2Eorg?=", "[Ant] Hi Bcc: x@example.org"),
    ],
)
def test_one_prefix_however_often_it_was_answered(draft, given, expected):
    assert draft(mail(subject=given)).text_of("subject") == expected


def test_no_subject_gets_one(draft):
    assert draft(mail(subject=None)).text_of("subject") == "[Ant] (no subject)"


def test_what_is_written_into_posts_is_in_the_language_of_the_list(draft):
    made = draft(mail(subject=None), {"preferred_language": "de", "dmarc_mitigate_action": "munge_from"}, dmarc=True)
    assert made.text_of("subject") == "[Ant] (kein Betreff)"
    assert made.text_of("from") == "Anne Person über Ant <ant@example.com>"


@pytest.mark.parametrize(
    ("prefix", "given", "expected"),
    [
        ("[Ant %d] ", "Hello", "[Ant 7] Hello"),
        ("[Ant %05d] ", "Re: [Ant 00006] Hello", "[Ant 00007] Re: Hello"),
        ("[100%] ", "Re: [100%] Hello", "[100%] Re: Hello"),
        ("[50% off] ", "Hello", "[50% off] Hello"),
        ("  ", "Re:  Hello", "Re:  Hello"),
        ("Änderung: ", "Re: Änderung: Hello", "Änderung: Re: Hello"),
    ],
)
def test_a_prefix_may_number_posts_and_hold_any_character(draft, ant, prefix, given, expected):
    ant.post_id = 7
    assert draft(mail(subject=given), {"subject_prefix": prefix}).text_of("subject") == expected


def test_a_message_id_is_added_only_where_there_is_none(copy):
    assert header(copy(mail(message_id=None)), "Message-ID") == ["<one@example.org>"]
    assert header(copy(mail()), "Message-ID") == ["<one@example.org>"]


LIST = "ant@example.com"
OWN = "bart@example.net"


@pytest.mark.parametrize(
    ("mode", "strip", "expected"),
    [
        ("no_munging", False, [OWN]),
        ("no_munging", True, []),
        ("point_to_list", False, [f"{OWN}, {LIST}"]),
        ("point_to_list", True, [LIST]),
        ("explicit_header", False, [f"desk@example.com, {OWN}"]),
        ("explicit_header", True, ["desk@example.com"]),
        ("explicit_header_only", False, ["desk@example.com"]),
        ("explicit_header_only", True, ["desk@example.com"]),
    ],
)
def test_answers_go_where_the_list_says(copy, mode, strip, expected):
    config = {"reply_goes_to_list": mode, "first_strip_reply_to": strip, "reply_to_address": "desk@example.com"}
    assert header(copy(mail(reply_to=OWN), config), "Reply-To") == expected


def test_an_address_stands_once_in_reply_to(copy):
    made = copy(mail(reply_to="Ants <ANT@example.com>"), {"reply_goes_to_list": "point_to_list"})
    assert header(made, "Reply-To") == ["Ants <ANT@example.com>"]


@pytest.mark.parametrize("field", ["Approved", "Approve", "X-Approved", "X-Approve", "Urgent"])
def test_a_password_goes_to_nobody(copy, field):
    assert b"opensesame" not in copy(mail(**{field.replace("-", "_"): "opensesame"}))


@pytest.mark.parametrize(
    "field", ["Return-Receipt-To", "Disposition-Notification-To", "X-Confirm-Reading-To", "X-PMRQC"]
)
def test_nobody_gets_a_receipt_from_every_member(copy, field):
    assert header(copy(mail(**{field.replace("-", "_"): "anne@example.org"})), field) == []


def test_moderation_details_are_not_told_to_members(copy):
    made = copy(mail(), rule_hits=("max-size",), rule_misses=("emergency",), approved_at=1.0)
    assert [told for told in (b"max-size", b"emergency", b"Approved-At") if told in made] == []


def test_what_is_not_edited_leaves_byte_for_byte(copy, ant):
    """Odd spelling, folding and bytes of fields nobody edits; every byte of the body."""
    odd = b"X-oDD:\tone\r\n\ttwo  \r\nX-Latin: caf\xe9\r\n"
    body = b"\xff\xfe\r\n.\r\n--x \r\nno line end"
    raw = odd + mail(body, subject=None)
    lists.change_settings(ant, {"subject_prefix": ""})
    made = copy(raw, {"archive_policy": "never"})
    assert made.startswith(odd)
    assert body in body_of(made)
