"""`mailman digests` sends and numbers digests, with Mailman's options, output and exit codes."""

import time

import pytest
from click.testing import CliRunner

from postroad.community.lists import actions as lists
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.digests import actions, queries
from postroad.mailflow.digests.models import Issue
from postroad.project.mailman.cli import mailman

pytestmark = pytest.mark.django_db


def run(*words: str):
    return CliRunner().invoke(mailman, ["digests", *words])


@pytest.fixture
def ants():
    lists.create_domain("example.com")
    made = lists.create_list("ants@example.com")
    lists.change_settings(made, {"digest_size_threshold": 0.0})
    raw = b"From: anne@example.org\r\nSubject: one\r\n\r\nBody.\r\n"
    actions.collect(
        Envelope(
            journey=queue.new_journey(), message=storage.store(raw), message_id="one@example.org",
            received_at=time.time(), size=len(raw), list_id=made.list_id,
        )
    )  # fmt: skip
    return made


def test_it_tells_volume_and_number_and_counts_on(ants):
    told = "ants.example.com is at volume 1, number {}; 1 posts wait\n"
    assert run("-v", "-n", "--bump", "--send", "-l", "ants@example.com").output == told.format(1)
    assert run("-v", "--bump").output == told.format(2)
    assert queries.waiting(ants).posts == 1


@pytest.mark.parametrize(("option", "by_clock", "issues"), [("-s", False, 1), ("-p", False, 0), ("-p", True, 1)])
def test_it_sends_at_once_or_as_the_list_says(ants, option, by_clock, issues):
    lists.change_settings(ants, {"digest_send_periodic": by_clock})
    result = run(option, "-l", "ants.example.com")
    assert (result.exit_code, result.output) == (0, "")
    assert Issue.objects.count() == issues


def test_what_excludes_each_other_does_nothing(ants):
    assert run("--send", "--periodic").exit_code == 1
    assert not Issue.objects.exists()


def test_an_unknown_list_is_told_of_and_no_failure(ants):
    result = run("--send", "-l", "bees@example.com")
    assert (result.exit_code, result.output) == (0, "No such list: bees@example.com\n")
