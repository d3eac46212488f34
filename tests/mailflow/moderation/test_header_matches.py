"""Header checks of the site and of the list: which fields, which order, which action."""

import dataclasses

import pytest

from postroad.community.lists import actions as lists
from postroad.community.lists.models import HeaderMatch
from tests.effort import ends_within

from .conftest import mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings):
    def run(**mail_settings):
        changed = dataclasses.replace(settings.POSTROAD.mail, **mail_settings)
        settings.POSTROAD = dataclasses.replace(settings.POSTROAD, mail=changed)

    return run


@pytest.mark.parametrize("action", ["hold", "reject", "discard", "accept"])
def test_the_first_match_of_the_list_decides(judged, ant, action):
    lists.add_header_match(ant, "X-Spam-Flag", "^no", "discard")
    lists.add_header_match(ant, "X-Spam-Flag", "^yes", action)
    lists.add_header_match(ant, "Subject", ".", "reject")
    verdict = judged(mail(x_spam_flag="YES"))
    assert (verdict.action, verdict.decided_by) == (action, "header-match-ant.example.com-1")
    assert verdict.hits == ("header-match-ant.example.com-1",)


def test_accept_skips_the_rules_that_follow(judged, ant):
    lists.add_header_match(ant, "X-Fine", ".", "accept")
    assert judged(mail(x_fine="1", subject="")).action == "accept"
    assert judged(mail(subject="")).action == "hold"


def test_defer_and_a_miss_leave_the_post_to_the_other_rules(judged, anne, ant):
    lists.add_header_match(ant, "Subject", "hello", "defer")
    lists.add_header_match(ant, "X-Other", ".", "discard")
    assert judged(mail()).action == "accept"


def test_a_match_without_action_does_what_the_site_says(judged, anne, ant, site):
    lists.add_header_match(ant, "Subject", "hello")
    assert judged(mail()).action == "hold"
    site(jump_chain="discard")
    assert judged(mail()).action == "discard"


def test_the_site_goes_before_the_list(judged, anne, ant, site):
    lists.add_header_match(ant, "Subject", "hello", "reject")
    site(header_checks=("X-Other: .", "Subject: ^HELLO"))
    verdict = judged(mail())
    assert (verdict.action, verdict.decided_by) == ("hold", "header-match-config-1")


def test_every_field_of_the_name_and_every_part_is_looked_at(judged, anne, ant):
    lists.add_header_match(ant, "Content-Type", "application/x-evil", "reject")
    lists.add_header_match(ant, "X-Look", "careful", "discard")
    lists.add_header_match(ant, "Subject", "grüße", "hold")
    assert judged(b"X-Look: no\r\n" + mail(x_look="be careful")).action == "discard"
    body = b"--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/x-evil\r\n\r\n1\r\n--b--\r\n"
    assert judged(mail(body, content_type="multipart/mixed; boundary=b")).action == "reject"
    assert judged(mail(subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?=")).action == "hold"


def test_a_pattern_from_an_older_system_that_cannot_be_run_matches_nothing(judged, anne, ant):
    HeaderMatch.objects.create(mailing_list=ant, position=0, header="subject", pattern="(h+)+$", action="discard")
    assert judged(mail(subject="h" * 100 + "!")).action == "accept"


def test_a_mail_whose_checks_take_too_long_is_held(judged, anne, ant):
    for number in range(20):
        lists.add_header_match(ant, "X-Long", f"a.*b.*c.*d{number}", "discard")
    verdicts = []
    fields = b"".join(b"X-Long: " + b"abc" * 600 + b"\r\n" for _ in range(200))
    assert ends_within(2, lambda: verdicts.append(judged(fields + mail(), {"max_message_size": 0})), tries=1)
    assert [(verdict.action, verdict.decided_by) for verdict in verdicts] == [("hold", "header-match-too-slow")]
