"""The three programs as a whole: every command has its help, an example that is right, and a place in the overview."""

import json
import re
import shlex
import tempfile
import tomllib
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.community.lists import actions as lists
from postroad.foundation.errors import BadInput, NotFound
from postroad.project import examples, list_documents, site_file
from postroad.project.cli import GROUPS, cli
from postroad.project.command_line import lines_of
from postroad.project.commands.completion import PROGRAMS
from postroad.project.mailman.cli import COMMANDS as MAILMAN
from postroad.project.mailman.cli import mailman
from postroad.project.mailman_web.cli import mailman_web

ROOTS = {"postroad": cli, "mailman": mailman, "mailman-web": mailman_web}


def leaves(program):
    """Every command that does something, by its path."""

    def below(command, context, path):
        if isinstance(command, click.Group):
            if command.invoke_without_command and path:
                yield path, command, context
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                yield from below(
                    found, click.Context(found, context, name, **found.context_settings), f"{path} {name}".strip()
                )
        else:
            yield path, command, context

    root = ROOTS[program]
    return list(below(root, click.Context(root, info_name=program), ""))


@pytest.mark.parametrize("program", list(ROOTS))
def test_every_command_has_help(program):
    for path, command, context in leaves(program):
        if command.add_help_option:
            assert command.get_help(context).count("\n") > 3, path
            assert command.get_short_help_str(200).strip(), path


@pytest.mark.parametrize("program", ["postroad", "mailman"])
def test_every_command_has_an_example_and_no_other_has(program):
    paths = {path for path, _, _ in leaves(program)}
    assert paths == set(examples.OF_PROGRAM[program])


def test_examples_of_mailman_web_are_of_commands_that_exist():
    assert set(examples.MAILMAN_WEB) <= {path for path, _, _ in leaves("mailman-web")}


@pytest.mark.parametrize("program", list(ROOTS))
def test_every_example_can_be_parsed(program):
    """Unknown options and a wrong number of arguments are seen; files need not be there."""
    for path, command, context in leaves(program):
        words = shlex.split(examples.line(program, path).split(" >")[0])[1 + len(path.split()) :]
        _, left, _ = command.make_parser(context).parse_args(list(words))
        assert left == [] or isinstance(command, click.Group), path


def test_help_shows_the_example(run):
    told = run("list", "add", "--help")
    assert "Example: postroad list add ants@lists.example.org --owner olga@example.org" in " ".join(told.stdout.split())


def test_the_overview_has_groups_with_every_command(run):
    told = run("--help")
    for group, commands in GROUPS.items():
        assert f"{group}:\n" in told.stdout
        for name in commands:
            assert re.search(rf"^  {name} ", told.stdout, re.MULTILINE), name


def test_there_are_mailmans_29_subcommands():
    assert len(MAILMAN) == 29


@pytest.mark.parametrize("program", list(PROGRAMS))
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_learns_to_complete(program, shell):
    from click.testing import CliRunner

    from postroad.project.commands.completion import command

    told = CliRunner().invoke(command, [shell, "--program", program])
    assert told.exit_code == 0
    assert program in told.output


def test_the_shell_is_told_what_may_follow(run):
    run.environment |= {"_POSTROAD_COMPLETE": "bash_complete", "COMP_WORDS": "postroad list s", "COMP_CWORD": "2"}
    try:
        told = run()
    finally:
        for name in ("_POSTROAD_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
            del run.environment[name]
    assert told.stdout.split() == ["plain,set", "plain,show"]


# --- config


def test_keys_of_the_site_are_changed_where_they_stand(run):
    file = run.home / "postroad.toml"
    file.write_text("# ours\n" + file.read_text().replace("port = 25\n", "port = 25  # the relay\n"))
    done = run(
        "config", "set", "smtp.port=2525", "smtp.password=12345", "mail.listname_chars=[a-z#]", "mail.verp_probes=false"
    )
    assert done.returncode == 0, done.stderr
    changed = tomllib.loads(file.read_text())
    assert changed["smtp"]["port"] == 2525
    assert changed["smtp"]["password"] == "12345"
    assert changed["mail"] == {"listname_chars": "[a-z#]", "verp_probes": False}
    assert file.read_text().startswith("# ours\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("config", "get", "smtp.port").stdout == "2525\n"
    assert run("config", "get", "smtp.password").stdout == "(set)\n"
    assert run("config", "set", "templates.fetch_from=https://a.example/, https://b.example/").returncode == 0
    assert json.loads(run("config", "get", "templates.fetch_from").stdout) == [
        "https://a.example/",
        "https://b.example/",
    ]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("smtp.port", "many", "allowed is a number"),
        ("smtp.colour", "blue", "has no key colour"),
        ("moon.phase", "full", "unknown section [moon]"),
        ("site.base_url", "lists.example.org", "allowed is an http"),
    ],
)
def test_a_wrong_key_changes_nothing(tmp_path, monkeypatch, key, value, told):
    file = tmp_path / "postroad.toml"
    file.write_text("[smtp]\nport = 25\n")
    with pytest.raises(BadInput, match=re.escape(told)):
        site_file.change(file, {("smtp", "host"): "relay.example.org", tuple(key.split(".")): value})
    assert file.read_text() == "[smtp]\nport = 25\n"


@given(st.text())
def test_any_text_is_kept_as_it_is_and_nothing_beside_it(value):
    """Quotes, line ends and brackets in a value stay in it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "postroad.toml"
        file.write_text("[site]\nname = 'x'\n\n[smtp]\nport = 25\n")
        try:
            site_file.change(file, {("site", "name"): value})
            site_file.change(file, {("smtp", "port"): "25"})
        except BadInput:
            assert "\0" in value or not value.isprintable()
            return
        assert tomllib.loads(file.read_text()) == {"site": {"name": value}, "smtp": {"port": 25}}


def test_lists_are_exported_edited_and_applied_again(run):
    run("list", "add", "ants@lists.example.org")
    run("list", "add", "bees@lists.example.org")
    kept = json.loads(run("config", "export").stdout)
    assert set(kept) >= {"ants.lists.example.org", "bees.lists.example.org"}
    assert "moderator_password" not in kept["ants.lists.example.org"]
    same = run("config", "apply", "-", stdin=json.dumps(kept))
    assert (same.returncode, same.stdout) == (0, "nothing to change\n")
    kept["ants.lists.example.org"]["description"] = "All about ants"
    planned = run("config", "apply", "-n", "-", stdin=json.dumps(kept))
    assert planned.returncode == 1
    assert planned.stdout == 'ants.lists.example.org: description: "" → "All about ants"\n'
    assert run("config", "get", "--list", "ants@lists.example.org", "description").stdout == "\n"
    assert run("config", "apply", "-", stdin=json.dumps(kept)).stdout == planned.stdout
    assert run("config", "get", "--list", "ants@lists.example.org", "description").stdout == "All about ants\n"
    assert run("config", "set", "--list", "ants@lists.example.org", "advertised=false").returncode == 0
    assert run("config", "get", "--list", "ants@lists.example.org", "advertised").stdout == "false\n"
    assert "advertised = false  # " in run("config", "show", "--list", "ants@lists.example.org").stdout


@pytest.mark.parametrize("text", ["", "[" * 100_000])
def test_a_document_that_is_no_json_is_told(run, text):
    done = run("config", "apply", "-", stdin=text)
    assert done.returncode == 2
    assert "not valid JSON" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wanted",
    [
        [], {"none.example": {}}, {"ants.lists.example.org": 1}, {"ants.lists.example.org": {"colour": "blue"}},
        {"ants.lists.example.org": {"archive_policy": "sometimes"}}, {"ants.lists.example.org": {"max_message_size": "x"}},
    ],
)  # fmt: skip
def test_a_document_that_is_wrong_is_refused_whole(wanted):
    lists.create_domain("lists.example.org")
    lists.create_list("ants@lists.example.org")
    with pytest.raises((BadInput, NotFound)):
        list(list_documents.changes(wanted))


# --- users and members


def test_users_are_changed_and_removed(run):
    run("user", "add", "olga@example.org", "--name", "Olga", "--password", "a long one")
    assert run("user", "set", "olga@example.org", "--name", "Olga O", "--server-owner").returncode == 0
    users = json.loads(run("user", "show", "--json").stdout)
    assert users == [{"name": "Olga O", "server_owner": True, "addresses": ["olga@example.org"]}]
    assert run("user", "set", "nobody@example.org", "--name", "x").returncode == 2
    assert run("user", "remove", "--yes", "olga@example.org").returncode == 0
    assert json.loads(run("user", "show", "--json").stdout) == []


def test_members_are_changed(run):
    run("member", "add", "--no-welcome", "ants@lists.example.org", "anna@example.net")
    done = run("member", "set", "ants@lists.example.org", "anna@example.net", "delivery_mode=mime_digests")
    assert done.returncode == 0, done.stderr
    (anna,) = json.loads(run("member", "show", "ants@lists.example.org", "--json").stdout)
    assert anna["mode"] == "mime_digests"
    for wrong in ("delivery_mode=pigeon", "colour=blue", "delivery_mode"):
        assert run("member", "set", "ants@lists.example.org", "anna@example.net", wrong).returncode == 2
    assert run("member", "set", "ants@lists.example.org", "bert@example.net", "delivery_mode=regular").returncode == 2


def test_what_is_quarantined_is_told_to_programs(run):
    assert json.loads(run("queue", "quarantined", "--json").stdout) == []


def test_a_list_of_members_may_be_in_latin_1_and_begin_with_a_mark_of_utf_8(tmp_path):
    file = tmp_path / "members"
    file.write_bytes("\ufeffÄnne <anne@x.example>\r\n".encode() + "  Bärt <bart@x.example>\n".encode("latin-1"))
    assert lines_of(str(file)) == ["Änne <anne@x.example>", "Bärt <bart@x.example>"]
