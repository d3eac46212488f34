"""What Mailman's upgrade guide tells an administrator to do works here, each command as it is written there.

The guide: stop both services, upgrade the packages, migrate, compress, collect static files, compile translations, start
both; rebuild the index, or update it list by list; set `verp_probes` or the `processed` flag before stale bounces count.
"""

import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "packaging" / "systemd" / "postroad.service").read_text()

AFTER_THE_UPGRADE = (
    "mailman-web migrate",
    "mailman-web compress",
    "mailman-web collectstatic",
    "mailman-web compilemessages",
)
"""In the guide's order, each without an option."""

WITH_THE_INDEX = ("mailman-web rebuild_index", "mailman-web update_index_one_list ants@lists.example.org")
"""There through a Django project's manage.py; here by the command that stands in its place."""


def shell(site, line, answer=""):
    return subprocess.run(
        ["sh", "-c", line], input=answer, capture_output=True, text=True, check=False, cwd="/", timeout=60,
        env={**site.environment, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
    )  # fmt: skip


@pytest.mark.parametrize("line", AFTER_THE_UPGRADE)
def test_a_step_after_the_upgrade_runs_as_written(run, line):
    began = time.monotonic()
    done = shell(run, line)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1, "one line says what it did"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("line", WITH_THE_INDEX)
def test_the_index_is_made_anew_whole_or_by_list(run, line):
    run("list", "add", "ants@lists.example.org")
    done = shell(run, line, "y\n")
    assert done.returncode == 0, done.stderr
    assert "added to the index" in done.stdout


@pytest.mark.parametrize("name", ["mailman3", "mailmanweb"])
def test_the_services_answer_to_their_old_names(name):
    aliases = re.search(r"^Alias=(.*)$", UNIT, re.MULTILINE)[1].split()
    assert f"{name}.service" in aliases


@pytest.mark.skipif(not Path("/usr/bin/systemd-analyze").exists(), reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path):
    file = tmp_path / "postroad.service"
    program = Path(sys.executable).with_name("postroad")
    file.write_text(UNIT.replace("/opt/postroad/bin/postroad", str(program)))
    told = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


def test_verp_probes_in_an_existing_mailman_cfg_counts(run, tmp_path):
    old = tmp_path / "mailman.cfg"
    for word in ("yes", "no"):
        old.write_text(f"[mta]\nverp_probes: {word}\n")
        assert shell(run, f"mailman -C {old} conf -s mta -k verp_probes").stdout == f"{word}\n"


@pytest.mark.django_db
def test_bounces_that_are_marked_as_processed_never_count():
    from postroad.community.lists import actions as lists
    from postroad.community.subscriptions import actions as subscriptions
    from postroad.community.subscriptions.queries import member_of
    from postroad.mailflow.bounces.actions import judge_events
    from postroad.mailflow.bounces.models import BounceEvent

    lists.create_domain("lists.example.org")
    ants = lists.create_list("ants@lists.example.org")
    subscriptions.join(ants, "anna@example.net", pre_verified=True, pre_confirmed=True, pre_approved=True)
    for days in range(30):
        BounceEvent.objects.create(
            mailing_list=ants, email="anna@example.net", domain="example.net", cause="address", message="",
            at=timezone.now() - timedelta(days=days),
        )  # fmt: skip
    BounceEvent.objects.update(processed=True)
    judge_events()
    member = member_of(ants, "anna@example.net")
    assert (member.delivery_status, member.bounce_score) == (None, 0)


def test_the_address_postorius_served_its_texts_at_is_one_that_texts_are_fetched_from(tmp_path, monkeypatch):
    from postroad.foundation import configuration

    monkeypatch.setenv("POSTORIUS_TEMPLATE_BASE_URL", "http://mailman-web:8000")
    (tmp_path / "postroad.toml").write_text("")
    assert configuration.load(tmp_path).templates.fetch_from == ("http://mailman-web:8000",)
    (tmp_path / "postroad.toml").write_text('[templates]\nfetch_from = ["https://texts.example.org/"]\n')
    assert configuration.load(tmp_path).templates.fetch_from == ("https://texts.example.org/",)
