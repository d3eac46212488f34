"""Trace, explain and audit over REST: the answers of the commands, and nothing of other lists."""

import pytest
from click.testing import CliRunner
from rest_site import ANT, BEE, MAIL, Site

from postroad.foundation.queue.models import Job
from postroad.foundation.rest import audit
from postroad.foundation.rest.models import Call
from postroad.project.cli import cli

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    audit.flush()
    Call.objects.all().delete()
    made = Site()
    made.build()
    return made


def test_the_trace_of_a_held_post_ends_with_the_hold(site):
    found = site.rest.get("trace", message_id="<one@example.org>").json
    assert [step["outcome"] for step in found["steps"]][-1] == "held"
    assert {job["queue"] for job in found["waiting"]} == {"moderation"}
    assert site.rest.get("trace", message_id="none@example.org").status == 404


def test_the_trace_of_a_mail_that_waits_says_why(site):
    Job.objects.filter(message_id="one@example.org").update(error="Traceback\n  line\nOSError: the relay is away")
    found = site.rest.get("trace", message_id="one@example.org").json
    assert [job["reason"] for job in found["waiting"]] == ["OSError: the relay is away"]
    told = CliRunner().invoke(cli, ["trace", "<one@example.org>"]).output
    assert told.rstrip().endswith("; attempt 0: OSError: the relay is away")


def test_a_lists_trace_tells_nothing_of_other_lists(site):
    found = site.rest.get(f"lists/{ANT}/trace", message_id="one@example.org").json
    assert {step["list_id"] for step in found["steps"]} == {ANT}
    assert not found["waiting"]
    assert site.rest.get(f"lists/{BEE}/trace", message_id="one@example.org").status in (200, 404)
    assert BEE not in str(found)


def test_explain_judges_and_changes_nothing(site):
    jobs = Job.objects.count()
    found = site.rest.post(f"lists/{ANT}/explain", text=MAIL.decode()).json
    assert (found["action"], found["decided_by"]) == ("hold", "nonmember-moderation")
    mine = MAIL.decode().replace("zoe@example.org", "anne@example.com")
    passed = site.rest.post(f"lists/{ANT}/explain", text=mine).json
    assert passed["action"] == "accept"
    assert passed["recipients"] == "1"
    assert "Hi." in passed["sent"]
    assert Job.objects.count() == jobs


def test_the_audit_log_is_shown_by_caller_and_list_a_page_at_a_time(site):
    calls = site.rest.get("audit", caller="site", method="POST", count=2, page=1).json
    assert calls["total_size"] > 10
    assert len(calls["entries"]) == 2
    assert all(call["caller"] == "site" for call in calls["entries"])
    own = site.rest.get(f"lists/{ANT}/audit").json
    assert own["total_size"] > 0
    assert {call["list_id"] for call in own["entries"]} == {ANT}
