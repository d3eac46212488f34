"""`postroad doctor` tells what to mend, for people and programs, by its exit code too."""

import json

import pytest


def test_it_names_what_is_wrong_and_exits_with_1(run):
    told = run("doctor")
    assert told.returncode == 1
    assert "service       bad   the service does not run on this machine\n" in told.stdout
    assert "→ Start it: `systemctl start postroad`" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr


def test_a_check_alone_that_finds_nothing_exits_with_0(run):
    told = run("doctor", "versions", "disk")
    assert told.returncode == 0, told.stdout
    assert "service" not in told.stdout
    assert run("doctor", "-q", "disk").stdout == ""


def test_programs_get_json(run):
    told = run("doctor", "--json", "backups")
    assert told.returncode == 1
    (finding,) = json.loads(told.stdout)
    assert finding["check"] == "backups"
    assert finding["state"] == "bad"
    assert "[backup] folder" in finding["remedy"]


def test_a_check_that_is_none_is_told(run):
    told = run("doctor", "horoscope")
    assert told.returncode == 2
    assert "there are versions, settings" in told.stderr


@pytest.mark.sqlite_only
def test_a_database_that_is_away_or_has_no_tables_is_a_finding(run, tmp_path):
    kept = run.environment["POSTROAD_DATABASE_URL"]
    run.environment["POSTROAD_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    try:
        told = run("doctor", "versions", "queue", "disk")
        run.environment["POSTROAD_DATABASE_URL"] = f"sqlite:///{tmp_path}/new.db"
        new = run("doctor", "queue")
    finally:
        run.environment["POSTROAD_DATABASE_URL"] = kept
    assert told.returncode == 1
    assert "the database does not answer" in told.stdout
    assert "the database has no tables yet" in new.stdout
    assert "GB are free" in told.stdout
