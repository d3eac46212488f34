"""The order of the rules, the chains a list may name, and that `explain` says what moderation then does."""

import io

import pytest
from click.testing import CliRunner

from postroad.community.bans.actions import ban
from postroad.community.lists import actions as lists
from postroad.community.lists.declare import CHAINS as DECLARED
from postroad.foundation.queue import actions as queue
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.chains import CHAINS, DEFAULT_POSTING_CHAIN
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.worker import work

from .conftest import mail, post

pytestmark = pytest.mark.django_db

OWN = {"automatic-reply", "too-complex", "unauthenticated-sender"}


def test_the_posting_chain_is_mailmans_with_three_rules_of_ours():
    assert [link.rule.name for link in DEFAULT_POSTING_CHAIN if link.rule.name not in OWN] == [
        "dmarc-mitigation", "no-senders", "approved", "loop", "banned-address", "header-match", "emergency",
        "member-moderation", "nonmember-moderation", "administrivia", "implicit-dest", "max-recipients", "max-size",
        "news-moderation", "no-subject", "digests", "suspicious-header", "any", "truth",
    ]  # fmt: skip


def test_a_post_that_passes_missed_every_recorded_rule_in_order(judged, anne):
    verdict = judged(mail())
    assert verdict.misses == tuple(link.rule.name for link in DEFAULT_POSTING_CHAIN if link.recorded)


def test_every_chain_a_list_may_name_is_there():
    assert set(CHAINS) == set(DECLARED)


def test_the_later_rules_collect_their_reasons(judged, anne):
    verdict = judged(mail(subject="", to=None))
    assert verdict.action == "hold"
    assert verdict.hits == ("implicit-dest", "no-subject")
    assert verdict.reasons == ("Message has implicit destination", "Message has no subject")
    assert verdict.decided_by == "implicit-dest"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (b"List-Post: <mailto:ant@example.com>\r\n", "header"),
        (b"List-Post: <mailto:ant@example.com>\r\n", "ban"),
    ],
)
def test_a_loop_ends_before_bans_and_header_checks_are_asked(judged, ant, earlier, later):
    ban("anne@example.org", ant)
    lists.add_header_match(ant, "Subject", ".", "accept")
    assert judged(earlier + mail()).decided_by == "loop"


def test_a_ban_ends_a_post_before_a_header_check_could_accept_it(judged, ant):
    ban("anne@example.org", ant)
    lists.add_header_match(ant, "Subject", ".", "accept")
    assert judged(mail()).decided_by == "banned-address"


def test_a_header_check_goes_before_emergency_and_moderation(judged, ant):
    lists.add_header_match(ant, "Subject", ".", "accept")
    assert judged(mail(), {"emergency": True, "default_nonmember_action": "discard"}).action == "accept"


@pytest.mark.parametrize(
    ("chain", "action"), [("accept", "accept"), ("hold", "hold"), ("reject", "reject"), ("discard", "discard")]
)
def test_a_list_may_name_another_chain(judged, anne, chain, action):
    assert judged(mail(subject=""), {"posting_chain": chain}).action == action


def test_mail_to_the_owners_always_passes_unless_the_list_says_otherwise(judged):
    assert judged(mail(subject="", to=None), kind="owner").action == "accept"
    assert judged(mail(), {"owner_chain": "hold"}, kind="owner").action == "hold"


@pytest.mark.parametrize(
    "raw",
    [
        mail(), mail(subject=""), mail(to=None), mail(**{"from": "bad@example.org"}), mail(list_id="<ant.example.com>"),
        mail(**{"from": "x@example.org"}), mail(subject="unsubscribe"),
    ],
)  # fmt: skip
def test_explain_says_what_moderation_then_does(ant, anne, raw, monkeypatch):
    from postroad.project.commands import explain

    ban("bad@example.org", ant)
    monkeypatch.setattr(explain, "open_home", lambda home: None)
    result = CliRunner().invoke(
        explain.command, ["--list", "ant.example.com", "--sender", "anne@example.org", "-"], raw
    )
    assert result.exit_code == 0, result.output
    told = dict(line.split(maxsplit=1) for line in io.StringIO(result.output) if line.startswith(("action", "decided")))
    made = post(ant, raw, message=storage.store(raw))
    verdict = judge(made)
    assert told["action"].strip() == verdict.action
    assert told["decided_by"].strip() == verdict.decided_by
    work(made.envelope)
    (step,) = (s for s in queue.steps_of("one@example.org") if s.stage == "moderation")
    assert step.outcome == {"accept": "accepted", "hold": "held", "discard": "discarded"}[verdict.action]
