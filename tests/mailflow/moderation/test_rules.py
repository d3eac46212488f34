"""Every rule of the posting chain: when it hits, and when it does not."""

import pytest

from postroad.community.bans.actions import ban
from postroad.community.lists import actions as lists
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.actions import change_member
from postroad.community.subscriptions.models import Member
from postroad.foundation.queue import actions as queue

from .conftest import mail, post

pytestmark = pytest.mark.django_db


def test_a_members_post_passes(judged, anne):
    verdict = judged(mail())
    assert (verdict.action, verdict.hits) == ("accept", ())


def test_no_senders_drops_what_names_nobody(judged):
    verdict = judged(mail(**{"from": ""}), sender="")
    assert (verdict.action, verdict.decided_by) == ("discard", "no-senders")


def test_emergency_holds_members_too(judged, anne):
    verdict = judged(mail(), {"emergency": True})
    assert (verdict.action, verdict.decided_by) == ("hold", "emergency")


@pytest.mark.parametrize(
    "fields",
    [
        {"list_post": "ant@example.com"},
        {"list_post": "<mailto:ANT@example.com>"},
        {"list_id": "Ants <ant.example.com>"},
    ],
)
def test_loop_drops_what_this_list_sent_already(judged, anne, fields):
    verdict = judged(mail(**fields))
    assert (verdict.action, verdict.decided_by) == ("discard", "loop")


def test_loop_lets_mail_of_another_list_pass(judged, anne):
    assert judged(mail(list_post="<mailto:bee@example.com>", list_id="<bee.example.com>")).action == "accept"


def test_banned_address_drops_a_member(judged, anne, ant):
    ban("^anne@", ant)
    verdict = judged(mail())
    assert (verdict.action, verdict.decided_by) == ("discard", "banned-address")


@pytest.mark.parametrize("action", ["hold", "reject", "discard", "accept"])
def test_member_moderation_does_what_the_membership_says(judged, anne, action):
    change_member(anne, moderation_action=action)
    verdict = judged(mail(subject=""))
    assert (verdict.action, verdict.decided_by) == (action, "member-moderation")


def test_member_moderation_asks_the_list_where_the_membership_says_nothing(judged, anne):
    assert judged(mail(), {"default_member_action": "hold"}).decided_by == "member-moderation"


def test_a_member_who_is_deferred_meets_the_other_rules(judged, anne):
    change_member(anne, moderation_action="defer")
    verdict = judged(mail(subject=""), {"default_member_action": "reject"})
    assert (verdict.action, verdict.decided_by) == ("hold", "no-subject")


@pytest.mark.parametrize("action", ["hold", "reject", "discard", "accept"])
def test_nonmember_moderation_asks_the_list(judged, action):
    verdict = judged(mail(), {"default_nonmember_action": action})
    assert (verdict.action, verdict.decided_by) == (action, "nonmember-moderation")


@pytest.mark.parametrize(
    ("table", "action"), [("hold", "hold"), ("reject", "reject"), ("discard", "discard"), ("accept", "accept")]
)
def test_the_tables_of_nonmembers_go_before_the_default(judged, table, action):
    default = "discard" if action == "hold" else "hold"
    config = {f"{table}_these_nonmembers": ["^ANNE@"], "default_nonmember_action": default}
    assert judged(mail(), config).action == action


def test_a_nonmembers_own_action_goes_before_the_tables(judged, ant):
    subscriptions.know_nonmembers(ant, ["anne@example.org"])
    change_member(Member.objects.get(role="nonmember"), moderation_action="reject")
    assert judged(mail(), {"accept_these_nonmembers": ["anne@example.org"]}).action == "reject"


def test_members_of_another_list_may_post_where_the_list_says_so(judged, ant):
    bee = lists.create_list("bee@example.com")
    subscriptions.join(bee, "anne@example.org", pre_verified=True, pre_confirmed=True, pre_approved=True)
    assert judged(mail()).action == "hold"
    assert judged(mail(), {"accept_these_nonmembers": ["@bee@example.com"]}).action == "accept"


@pytest.mark.parametrize("subject", ["unsubscribe", "Help", "subscribe me please", "confirm 123"])
def test_administrivia_holds_stray_commands(judged, anne, subject):
    assert judged(mail(subject=subject)).decided_by == "administrivia"
    assert judged(mail(b"\r\n" + subject.encode() + b"\r\n")).decided_by == "administrivia"
    assert judged(mail(subject=subject), {"administrivia": False}).action == "accept"


@pytest.mark.parametrize("subject", ["help me with this", "unsubscribe me from it", "confirm", " \r\n "])
def test_administrivia_leaves_sentences_alone(judged, anne, subject):
    assert "administrivia" not in judged(mail(subject=subject)).hits


def test_administrivia_looks_at_the_first_lines_only(judged, anne):
    assert judged(mail(b"line\r\n" * 10 + b"unsubscribe\r\n")).action == "accept"


@pytest.mark.parametrize("to", ["ANT@example.com", "x@example.org, Ants <ant@example.com>"])
def test_a_post_that_names_the_list_has_a_destination(judged, anne, to):
    assert judged(mail(to=to)).action == "accept"
    assert judged(mail(to="x@example.org", resent_cc=to)).action == "accept"


def test_implicit_dest_holds_what_does_not_name_the_list(judged, anne):
    assert judged(mail(to="ant@elsewhere.example")).decided_by == "implicit-dest"
    assert judged(mail(to=None)).decided_by == "implicit-dest"
    assert judged(mail(to=None), from_usenet=True).action == "accept"
    assert judged(mail(to="old@example.com"), {"acceptable_aliases": ["old@example.com"]}).action == "accept"
    assert judged(mail(to="olden@example.com"), {"acceptable_aliases": ["^old"]}).action == "accept"
    assert judged(mail(to=None), {"require_explicit_destination": False}).action == "accept"


def test_max_recipients_holds_at_the_limit(judged, anne):
    to = "ant@example.com, " + ", ".join(f"r{i}@example.org" for i in range(3))
    config = {"max_num_recipients": 5}
    assert judged(mail(to=to), config).action == "accept"
    assert judged(mail(to=to, cc="c@example.org"), config).decided_by == "max-recipients"
    assert judged(mail(to=to, cc="c@example.org"), {"max_num_recipients": 0}).action == "accept"


def test_max_size_holds_what_is_larger(judged, anne):
    body = b"x" * 70 + b"\r\n"
    assert judged(mail(body), {"max_message_size": 1}).action == "accept"
    assert judged(mail(body * 20), {"max_message_size": 1}).decided_by == "max-size"
    assert judged(mail(body * 20), {"max_message_size": 0}).action == "accept"


def test_news_moderation_holds_what_goes_to_a_moderated_group(judged, anne):
    assert judged(mail(), {"newsgroup_moderation": "moderated"}).decided_by == "news-moderation"
    assert judged(mail(), {"newsgroup_moderation": "open_moderated"}).action == "accept"


@pytest.mark.parametrize("subject", [None, "", "   ", "=?utf-8?q?_?="])
def test_no_subject_holds_what_has_none(judged, anne, subject):
    assert judged(mail(subject=subject)).decided_by == "no-subject"


def test_suspicious_header_holds_what_the_table_names(judged, anne):
    table = "# a comment\nX-Broken: (\nsubject: \\bwin\\b"
    assert judged(mail(subject="You WIN!"), {"bounce_matching_headers": table}).decided_by == "suspicious-header"
    assert judged(mail(subject="Window"), {"bounce_matching_headers": table}).action == "accept"


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({"auto_submitted": "auto-replied"}, "discard"),
        ({"auto_submitted": "auto-replied (vacation)"}, "discard"),
        ({"auto_submitted": "Auto-Replied; owner-email=x"}, "discard"),
        ({"x_autoreply": "yes"}, "discard"),
        ({"precedence": "auto_reply"}, "discard"),
        ({"auto_submitted": "auto-generated"}, "accept"),
        ({"auto_submitted": "no"}, "accept"),
        ({"precedence": "bulk"}, "accept"),
    ],
)
def test_what_answers_by_itself_is_dropped_and_what_posts_by_itself_passes(judged, anne, fields, action):
    verdict = judged(mail(**fields))
    assert verdict.action == action
    assert action == "accept" or verdict.decided_by == "automatic-reply"


def test_another_list_s_mark_is_no_loop_and_ours_is(judged, anne):
    assert judged(mail(x_loop="bee@example.com")).action == "accept"
    assert judged(mail(x_loop="Ant@example.com")).decided_by == "loop"


def test_a_mail_that_passes_again_and_again_is_a_loop_whatever_it_says(judged, ant, anne):
    for expected in ("accept", "accept", "discard"):
        assert judged(mail(subject=expected)).action == expected
        queue.record(post(ant, mail()).envelope, "moderation", "accepted")


def test_mail_to_the_owners_goes_round_twice_at_most_and_may_be_a_post(judged, ant):
    """Two lists may have each other's owners for theirs."""
    fields = {"x_loop": "ant@example.com", "list_id": "<ant.example.com>"}
    for expected in ("accept", "accept", "discard"):
        assert judged(mail(**fields), kind="owner").action == expected
        queue.record(post(ant, mail()).envelope, "moderation", "accepted")
