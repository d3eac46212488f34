"""A post whose author's domain forbids changes reaches the members all the same, and they see who wrote it."""

import pytest

from .conftest import body_of, header, mail, parsed, structure

MUNGE = {"dmarc_mitigate_action": "munge_from"}
WRAP = {"dmarc_mitigate_action": "wrap_message"}


def test_nothing_is_changed_for_other_domains(copy):
    assert header(copy(mail(), MUNGE), "From") == ["Anne Person <anne@example.org>"]


def test_from_becomes_the_list_and_the_author_stays_readable_for_people_and_programs(copy):
    """RFC 9057: Author."""
    made = copy(mail(), MUNGE, dmarc=True)
    assert header(made, "From") == ["Anne Person via Ant <ant@example.com>"]
    assert header(made, "Reply-To") == ["Anne Person <anne@example.org>"]
    assert header(made, "X-Original-From") == header(made, "Author") == ["Anne Person <anne@example.org>"]


def test_where_answers_go_to_the_list_the_author_is_in_cc(copy):
    made = copy(mail(cc="bart@example.net"), {**MUNGE, "reply_goes_to_list": "point_to_list"}, dmarc=True)
    assert header(made, "Reply-To") == ["ant@example.com"]
    assert header(made, "Cc") == ["bart@example.net, Anne Person <anne@example.org>"]


def test_an_author_who_is_there_already_is_not_added(copy):
    made = copy(mail(reply_to="anne@example.org"), MUNGE, dmarc=True)
    assert header(made, "Reply-To") == ["anne@example.org"]


@pytest.mark.parametrize(
    ("from_", "shown"),
    [
        ("anne@example.org", "Anne of the membership"),
        ("bart@example.org", "bart ---"),
        ('"anne@example.org" <anne@example.org>', "anne ---"),
        ("Anne (Ants) <anne@example.org>", "Anne"),
        (None, "carl ---"),
    ],
)
def test_the_name_comes_from_the_mail_else_the_membership_else_the_address(copy, join, from_, shown):
    join("anne@example.org", "Anne of the membership")
    made = copy(mail(From=from_), MUNGE, dmarc=True, sender="carl@example.net")
    assert header(made, "From") == [f"{shown} via Ant <ant@example.com>"]


def test_a_name_in_another_script_is_encoded(copy):
    made = copy(mail(From="=?utf-8?q?Ann=C3=A9?= <anne@example.org>"), MUNGE, dmarc=True)
    assert header(made, "From") == ["=?utf-8?b?QW5uw6kgdmlhIEFudA==?= <ant@example.com>"]


def test_a_wrapped_post_is_whole_inside_and_the_lists_outside(copy):
    raw = mail(cc="bart@example.net", x_private="stays inside")
    made = copy(raw, {**WRAP, "dmarc_wrapped_message_text": "Wrapped for you.", "subject_prefix": ""}, dmarc=True)
    outer = parsed(made)
    assert structure(outer) == "multipart/mixed(text/plain, message/rfc822(text/plain), text/plain)"
    assert outer["From"] == "Anne Person via Ant <ant@example.com>"
    assert outer["Cc"] == "bart@example.net"
    assert outer["X-Private"] is None
    assert "<one@example.org>" in outer["References"]
    inner = outer.get_payload(1).get_payload(0)
    assert (inner["From"], inner["X-Private"]) == ("Anne Person <anne@example.org>", "stays inside")
    assert body_of(raw) in made


def test_without_text_the_post_is_the_whole_content(copy):
    assert structure(parsed(copy(mail(), WRAP, dmarc=True, verp=False))).startswith("multipart/mixed(message/rfc822(")


def test_an_anonymous_list_has_nothing_to_rewrite(copy):
    assert header(copy(mail(), {**MUNGE, "anonymous_list": True}, dmarc=True), "X-Original-From") == []
