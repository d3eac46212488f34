"""The `postroad` command as an administrator uses it: real processes on a home of their own."""

import errno
import json
from pathlib import Path

import click
import pytest

from postroad.project import command_line

POST = """\
From: anna@example.org
To: bees@lists.example.net
Subject: Swarms
Message-ID: <swarms@example.org>

They are coming.
"""


def test_lists_and_members_are_made_shown_changed_and_removed(run):
    made = run("list", "add", "bees@lists.example.net", "--owner", "olga@example.org")
    assert (made.returncode, made.stdout) == (0, "made bees@lists.example.net (list-id bees.lists.example.net)\n")
    added = run("member", "add", "bees@lists.example.net", stdin="anna@example.org\nbert@example.org\nnobody\n")
    assert (added.returncode, added.stdout) == (1, "added 2, 1 not\n")
    assert "nobody" in added.stderr
    shown = json.loads(run("list", "show", "--json").stdout)
    assert shown == [{"list_id": "bees.lists.example.net", "members": 2}]
    people = json.loads(run("member", "show", "bees.lists.example.net", "--json").stdout)
    assert [p["email"] for p in people] == ["anna@example.org", "bert@example.org"]
    assert run("list", "set", "bees@lists.example.net", "description=All about bees").returncode == 0
    settings = json.loads(run("list", "show", "bees@lists.example.net", "--json").stdout)
    assert settings["description"] == "All about bees"
    gone = run("member", "remove", "bees@lists.example.net", "bert@example.org", "carl@example.org")
    assert (gone.returncode, gone.stdout) == (1, "bert@example.org: removed\ncarl@example.org: is no member\n")


def test_explain_says_what_would_happen_and_does_nothing(run, tmp_path):
    mail = tmp_path / "post.eml"
    mail.write_text(POST)
    told = run("explain", "--list", "bees@lists.example.net", "--json", str(mail))
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["action"] == "accept"
    assert found["recipients"] == "1"
    assert "Subject: [Bees] Swarms" in found["sent"]
    assert run("trace", "<swarms@example.org>").returncode == 2
    stranger = run(
        "explain",
        "--list",
        "bees@lists.example.net",
        "--sender",
        "eve@example.com",
        "-",
        stdin=POST.replace("anna", "eve"),
    )
    assert "hold" in stranger.stdout


def test_users_are_made_and_shown(run):
    made = run("user", "add", "olga@example.org", "--name", "Olga", "--password", "a long one", "--server-owner")
    assert made.returncode == 0, made.stderr
    olga = next(u for u in json.loads(run("user", "show", "--json").stdout) if "olga@example.org" in u["addresses"])
    assert olga["server_owner"] is True


def test_the_queue_shows_what_waits(run):
    rows = json.loads(run("queue", "show", "--json").stdout)
    assert {row["queue"] for row in rows} >= {"moderation", "pipeline", "delivery", "archive", "bounces", "digests"}
    assert {row["queue"]: row["waiting"] for row in rows if row["waiting"]} == {"pipeline": 2}, "two welcomes"
    assert run("queue", "retry", "--all").stdout == "0 to be tried again\n"


def test_versions_are_told(run):
    assert json.loads(run("version", "--json").stdout)["django"].startswith("5.")


def test_config_shows_every_key_and_no_password(run):
    shown = run("config")
    assert "[smtp]" in shown.stdout
    password = next(line for line in (run.home / "postroad.toml").read_text().splitlines() if "password" in line)
    assert password.partition('"')[2].strip('"') not in shown.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "show", "nothing@lists.example.net"),
        ("list", "add", "not an address"),
        ("list", "add", "bees@lists.example.net"),
        ("list", "set", "bees@lists.example.net", "colour=blue"),
        ("list", "set", "bees@lists.example.net", "archive_policy=sometimes"),
        ("member", "show", "nothing@lists.example.net"),
        ("trace", "unknown@example.org"),
        ("frobnicate",),
        ("queue", "retry"),
        ("queue", "retry", "99"),
        ("queue", "drop", "99", "--yes"),
        ("member", "add", "--role", "king", "bees@lists.example.net", "a@example.org"),
    ],
)
def test_wrong_use_is_told_in_words_with_exit_code_2(run, arguments):
    told = run(*arguments)
    assert told.returncode == 2
    assert told.stderr.strip()
    assert "Traceback" not in told.stderr


def test_a_wrong_configuration_is_one_line_and_exit_code_2(run, tmp_path):
    home = tmp_path / "wrong"
    home.mkdir()
    (home / "postroad.toml").write_text("[smtp]\nport = 'many'\n")
    told = run("serve", "--home", str(home))
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "[smtp] port = 'many': allowed is a number, 0 or more" in told.stderr
    assert [path.name for path in home.iterdir()] == ["postroad.toml"]


@pytest.mark.parametrize(
    "words",
    [("--home", "HOME", "list", "show"), ("list", "--home", "HOME", "show"), ("list", "show", "--home", "HOME")],
)
def test_a_home_that_is_none_is_told(run, tmp_path, words):
    """Wherever people write it."""
    told = run(*(word.replace("HOME", str(tmp_path)) for word in words))
    assert told.returncode == 2
    assert "is no Postroad home" in told.stderr


def test_help_needs_no_site(run, tmp_path):
    told = run("--home", str(tmp_path), "member", "add", "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert "Example: postroad member add" in told.stdout


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 3, "postroad: a disk is full: see that it has room"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/secret.key"), 2, "postroad: /x/secret.key: this user"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/out"), 3, "postroad: /x/out: No space left on device"),
        (RuntimeError("nobody foresaw this"), 3, "Traceback"),
    ],
)
def test_what_the_system_refuses_is_one_line_and_what_nobody_foresaw_is_a_failure(
    monkeypatch, capsys, error, code, said
):
    """Seen in practice: `sudo -u` forgotten. 1 would tell a script that it was done, with findings."""

    @click.command()
    def failing():
        raise error

    monkeypatch.setattr("sys.argv", ["postroad"])
    with pytest.raises(SystemExit) as ended:
        command_line.run(failing, "postroad")
    assert ended.value.code == code
    assert capsys.readouterr().err.startswith(said)


def test_a_home_that_cannot_be_made_is_told_in_one_line(run, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "home", Path("/proc/none")):
        told = run("serve", "--home", str(place))
        assert told.returncode == 2
        assert told.stderr.count("\n") == 1
        assert str(place) in told.stderr


def test_help_needs_no_home(run):
    told = run("--help")
    assert told.returncode == 0
    assert "trace" in told.stdout


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("sqlite:///new.db", 2, "has no tables yet; `postroad serve` makes them"),
        ("sqlite:///postroad.toml", 3, "does not answer, or is none; see `[database] url` in postroad.toml: file is"),
        ("postgresql://nobody@127.0.0.1:1/none", 3, "Connection refused"),
    ],
)
def test_a_database_that_holds_no_site_is_told_in_one_line(run, url, code, said):
    home = run.home.parent / "none"
    home.mkdir(exist_ok=True)
    (home / "postroad.toml").write_text(f"[database]\nurl = '{url}'\n# {'a text is no database ' * 9}\n")
    kept = run.environment.pop("POSTROAD_DATABASE_URL")
    try:
        told = run("list", "--home", str(home), "show")
    finally:
        run.environment["POSTROAD_DATABASE_URL"] = kept
    assert (told.returncode, told.stdout) == (code, "")
    assert said in told.stderr
    assert told.stderr.count("\n") == 1
