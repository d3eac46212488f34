"""The queue as an administrator sees it at night: what waits, why, and that it is tried again when told."""

import json
import time

import pytest
from click.testing import CliRunner

from postroad.foundation.queue.models import Job
from postroad.project import cli
from postroad.project.commands import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(cli, "open_home", lambda home: None)
    return lambda *words: CliRunner().invoke(queue.command, words, catch_exceptions=False).output


def test_what_is_deferred_is_told_by_its_reasons_and_tried_now_when_asked(run):
    """As `postqueue -p` and `postqueue -f` do for Postfix."""
    now = time.time()
    for error in ("Traceback\n451 full", "Traceback\n451 full", "450 busy", ""):
        Job.objects.create(queue="delivery", due_at=now + 1000, envelope=b"", created_at=now - 7200, error=error)
    Job.objects.create(queue="delivery", due_at=now + 90, envelope=b"", created_at=now, error="in hand", claim=7)
    told = run("deferred").splitlines()
    assert [line.split()[0] for line in told[::2]] == ["2", "1", "1"]
    assert [line.strip() for line in told[1::2]] == ["451 full", "450 busy", "in hand"]
    (row,) = (row for row in json.loads(run("show", "--json")) if row["queue"] == "delivery")
    assert (row["waiting"], row["deferred"], row["quarantined"]) == (5, 4, 0)
    assert run("flush") == "3 to be tried now\n"
    due = {row["error"]: row["due_at"] - now for row in json.loads(run("deferred", "--json"))}
    assert due.pop("in hand") > 80, "somebody works on it"
    assert all(seconds < 10 for seconds in due.values())
