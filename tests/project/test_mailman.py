"""The `mailman` command does what Mailman Core's does, with its options, output and exit codes."""

import email
import fcntl
import json
import pickle

import pytest

from postroad.project.mailman.cli import COMMANDS
from tests.ports import free_port


@pytest.fixture(scope="module")
def mailman(run):
    def mailman(*arguments, stdin=""):
        return run(*arguments, stdin=stdin, program="mailman")

    mailman.site = run
    return mailman


def test_lists_are_made_and_shown(mailman):
    made = mailman("create", "-o", "olga@example.org", "--language", "de", "ants@lists.example.org")
    assert (made.returncode, made.stdout) == (0, "Created mailing list: ants@lists.example.org\n")
    assert mailman("create", "-q", "bees@lists.example.org").stdout == ""
    shown = mailman("lists", "-n", "-q")
    assert shown.stdout == "ants@lists.example.org [Ants]\nbees@lists.example.org [Bees]\n"
    assert mailman("lists", "--domain", "other.example").stdout == "No matching mailing lists found\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "ants@lists.example.org"), "Mailing list exists"),
        (("create", "-D", "new@unknown.example"), "unknown domain: unknown.example"),
        (("create", "--language", "xx", "new@lists.example.org"), "unknown language: xx"),
        (("create", "-o", "nobody", "new@lists.example.org"), "not an address: nobody"),
        (("create", "--style-name", "none", "new@lists.example.org"), "none"),
        (("members", "none@lists.example.org"), "No such list: none@lists.example.org"),
        (("members", "-c", "-e", "ants@lists.example.org"), "exclude each other"),
        (("members", "-a", "file", "ants@lists.example.org"), "use `mailman addmembers`"),
        (("addmembers", "/nowhere", "ants@lists.example.org"), "/nowhere"),
        (("admins", "ants@lists.example.org"), "--add or --delete is needed"),
        (("findmember", "("), "not a regular expression"),
        (("changeaddress", "who@example.org", "x@example.org"), "no such address"),
        (("conf", "-s", "nothing"), "no such section"),
        (("qfile", "99"), "no queue entry 99"),
        (("inject", "-q", "outer", "ants@lists.example.org"), "no such queue"),
        (("inject", "-q", "shunt", "ants@lists.example.org"), "takes no mail by hand"),
        (("inject", "-m", "to=x", "ants@lists.example.org"), "unknown metadata: to"),
        (("qfile", "/nowhere.pck"), "/nowhere.pck: No such file"),
        (("-C", "/nowhere.cfg", "lists"), "/nowhere.cfg: no such file"),
    ],
)
def test_what_is_wrong_is_told_with_exit_code_2(mailman, arguments, told):
    result = mailman(*arguments)
    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_members_are_added_from_a_file_and_shown(mailman):
    people = "# people\n\nAnna Ant <Anna@example.org>\nbert@example.org\nnot an address\nAnna Ant <Anna@example.org>\n"
    added = mailman("addmembers", "-W", "-", "ants@lists.example.org", stdin=people)
    assert added.returncode == 0
    assert added.stdout == ""
    assert "not an address" in added.stderr
    assert "already" in added.stderr
    assert mailman("members", "ants.lists.example.org").stdout == "Anna Ant <Anna@example.org>\nbert@example.org\n"
    assert (
        mailman("addmembers", "-d", "mime", "-", "ants@lists.example.org", stdin="carl@example.org\n").returncode == 0
    )
    assert mailman("members", "-d", "any", "-e", "ants@lists.example.org").stdout == "carl@example.org\n"
    assert mailman("members", "-r", "-c", "ants@lists.example.org").stdout == "2\n"
    assert mailman("members", "-R", "any", "-e", "ants@lists.example.org").stdout.count("\n") == 4
    assert mailman("members", "bees@lists.example.org").stdout == "bees.lists.example.org has no members\n"


def test_disabled_members_are_told_by_their_status(mailman):
    mailman("addmembers", "-d", "disabled", "-", "bees@lists.example.org", stdin="dora@example.org\n")
    assert mailman("members", "-n", "byadmin", "bees@lists.example.org").stdout == "dora@example.org\n"
    assert mailman("members", "-n", "enabled", "-c", "bees@lists.example.org").stdout == "0\n"
    assert mailman("members", "-n", "enabled", "bees@lists.example.org").stdout == "", "what scripts count lines of"


def test_members_can_be_written_to_a_file(mailman, tmp_path):
    file = tmp_path / "out"
    assert mailman("members", "-o", str(file), "ants@lists.example.org").stdout == ""
    assert file.read_text().startswith("Anna Ant <Anna@example.org>\n")


def test_owners_come_and_go(mailman):
    assert mailman("admins", "-a", "Max <max@example.org>", "-r", "moderator", "ants@lists.example.org").returncode == 0
    assert mailman("members", "-R", "administrator", "-e", "ants@lists.example.org").stdout.split() == [
        "max@example.org", "olga@example.org",
    ]  # fmt: skip
    again = mailman(
        "admins", "-a", "max@example.org", "-d", "nobody@example.org", "-r", "moderator", "ants@lists.example.org"
    )
    assert again.returncode == 0
    assert again.stderr.count("\n") == 2
    mailman("admins", "-d", "max@example.org", "-r", "moderator", "ants@lists.example.org")
    assert mailman("members", "-R", "moderator", "-c", "ants@lists.example.org").stdout == "0\n"


def test_a_member_is_found_in_every_list(mailman):
    mailman("addmembers", "-", "bees@lists.example.org", stdin="bert@example.org\n")
    assert mailman("findmember", "^BERT").stdout == (
        "Email: bert@example.org\n    List: ants.lists.example.org\n        MemberRole.member\n"
        "    List: bees.lists.example.org\n        MemberRole.member\n"
    )
    assert mailman("findmember", "-r", "owner", "bert").stdout == ""


def test_an_address_is_changed_in_place(mailman):
    changed = mailman("changeaddress", "bert@example.org", "berta@example.org")
    assert changed.stdout == "Address changed from bert@example.org to berta@example.org.\n"
    assert "berta@example.org" in mailman("members", "bees@lists.example.org").stdout


def test_a_mail_is_injected_and_shown(mailman):
    post = "From: anna@example.org\nTo: ants@lists.example.org\nSubject: Hi\nMessage-ID: <hi@example.org>\n\nHello\n"
    assert mailman("inject", "ants@lists.example.org", stdin=post).returncode == 0
    assert "accepted" in mailman.site("trace", "hi@example.org").stdout
    assert mailman("inject", "-s").stdout.startswith("Available queues:\n")
    number = mailman.site.python(
        "from postroad.foundation.queue.models import Job; print(Job.objects.get(message_id='hi@example.org').pk)"
    )
    shown = mailman("qfile", number.strip())
    assert "Subject: Hi\n" in shown.stdout
    assert "moderation" in shown.stdout


def test_a_file_of_an_old_queue_is_shown_and_not_run(mailman, tmp_path):
    message = email.message_from_string("Subject: Old post\n\nHello\n")
    file = tmp_path / "1.pck"
    file.write_bytes(pickle.dumps(message) + pickle.dumps({"listid": "ants.lists.example.org", "version": 3}))
    shown = mailman("qfile", str(file))
    assert shown.returncode == 0, shown.stderr
    assert "Subject: Old post\n" in shown.stdout
    assert "'listid': 'ants.lists.example.org'" in shown.stdout
    file.write_bytes(pickle.dumps(Touching(tmp_path / "touched")))
    assert mailman("qfile", str(file)).returncode == 2
    assert not (tmp_path / "touched").exists()


class Touching:
    """A pickle that makes a file when it is run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_list_of_mailman_21_is_brought_into_one_that_is_there(mailman, tmp_path):
    mailman("create", "-q", "old@lists.example.org")
    file = tmp_path / "config.pck"
    file.write_bytes(pickle.dumps(OLD_LIST, protocol=2))
    for _ in range(2):
        brought = mailman("import21", "-c", "iso-8859-1", "old@lists.example.org", str(file))
        assert brought.returncode == 0, brought.stderr
    settings = json.loads(mailman.site("list", "show", "old@lists.example.org", "--json").stdout)
    assert settings["description"] == "Für alle"
    assert settings["advertised"] is False
    assert mailman("members", "old@lists.example.org").stdout == "ida@example.org\nOtto Ox <Otto@example.org>\n"
    assert mailman("members", "-d", "any", "-e", "old@lists.example.org").stdout == "ida@example.org\n"
    assert mailman("members", "-R", "owner", "-e", "old@lists.example.org").stdout == "olga@example.org\n"
    for wrong in ((str(tmp_path / "none"),), (__file__,), ("-c", "klingon", str(file))):
        told = mailman("import21", "old@lists.example.org", *wrong)
        assert (told.returncode, told.stdout) == (2, ""), wrong
        assert "Traceback" not in told.stderr


OLD_LIST = {
    "real_name": b"Old", "host_name": b"elsewhere.example.com", "description": "Für alle".encode("latin-1"),
    "advertised": False, "preferred_language": b"en", "owner": [b"olga@example.org"], "moderator": [],
    "members": {b"otto@example.org": b"Otto@example.org"}, "digest_members": {b"ida@example.org": 0},
    "usernames": {b"otto@example.org": b"Otto Ox"}, "user_options": {}, "passwords": {b"otto@example.org": b"secret"},
}  # fmt: skip


def test_the_configuration_is_told_in_mailmans_words(mailman, tmp_path):
    old = tmp_path / "mailman.cfg"
    old.write_text("[mta]\nverp_probes: no\nmax_recipients: 50\n[mailman]\npending_request_life: 5d\n")
    assert mailman("-C", str(old), "conf", "-s", "mta", "-k", "verp_probes").stdout == "no\n"
    assert mailman("conf", "-s", "mta", "-k", "verp_probes").stdout == "yes\n"
    assert mailman("-C", str(old), "conf", "-s", "mailman", "-k", "pending_request_life").stdout == "5d\n"
    whole = mailman("-C", str(old), "conf").stdout
    assert "[styles] default: legacy-default\n" in whole
    assert "[webservice] admin_pass: (set)\n" in whole
    assert "[mailman] pending_request_life: 5d\n" in whole
    assert "[mta] max_recipients: 50\n" in whole
    assert "[mta] lmtp_port: 8024\n" in whole
    info = mailman("info").stdout
    assert "REST root url: http://127.0.0.1:8001/3.1/" in info
    password = mailman.site.home.joinpath("postroad.toml").read_text().partition('password = "')[2].partition('"')[0]
    assert password not in info + whole


def test_owners_are_told_what_waits(mailman):
    assert "has 0 moderation requests" in mailman("notify", "-v", "-n", "-l", "ants@lists.example.org").stdout


def test_the_service_is_started_restarted_and_stopped(mailman, tmp_path):
    site = mailman.site
    file = site.home / "postroad.toml"
    text = file.read_text()
    for port in ("8000", "8001", "8024"):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
    file.write_text(text)
    assert mailman("status").returncode == 0
    old = tmp_path / "mailman.cfg"
    old.write_text(
        f"[mailman]\nlayout: own\n[paths.own]\nvar_dir: {tmp_path}\n[mta]\nincoming: mailman.mta.null.NullMTA\n"
    )
    started = mailman("-C", str(old), "start")
    try:
        assert started.returncode == 0, started.stderr
        told = mailman("status")
        assert told.returncode == 1
        assert (tmp_path / "master.pid").read_text().strip() in told.stdout, "a unit of Mailman's finds its process"
        assert "it runs already" in mailman("start").stderr
    finally:
        assert mailman("stop").returncode == 0
    with (site.home / "run" / "postroad.pid").open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # Given when the service has ended.
    assert "does not run" in mailman("stop").stderr


def test_every_subcommand_explains_itself(mailman):
    overview = mailman("help").stdout
    for name in COMMANDS:
        assert name in overview
    assert mailman("version").stdout.startswith("Postroad ")
    assert mailman("--version").stdout == mailman("version").stdout


def test_a_function_of_ones_own_is_run_with_a_list(mailman):
    told = mailman("shell", "-l", "ants@lists.example.org", "-r", "builtins.print")
    assert told.stdout == "ants@lists.example.org\n"
    assert mailman("withlist", "-l", "^(ants|bees)", "-r", "builtins.print").stdout.count("\n") == 2


def test_a_list_is_removed_and_an_unknown_one_is_no_error(mailman):
    assert mailman("remove", "bees@lists.example.org").stdout == "Removed list: bees@lists.example.org\n"
    gone = mailman("remove", "bees@lists.example.org")
    assert (gone.returncode, gone.stdout) == (0, "No such list: bees@lists.example.org\n")


def test_members_are_removed_and_brought_in_step_with_a_file(mailman):
    mailman("create", "-q", "crew@lists.example.org")
    mailman("addmembers", "-W", "-", "crew@lists.example.org", stdin="a@example.org\nb@example.org\nC@example.org\n")
    gone = mailman("delmembers", "-G", "-l", "crew@lists.example.org", "-m", "a@example.org", "-m", "z@example.org")
    assert (gone.returncode, gone.stderr) == (0, "Member not subscribed: z@example.org\n")
    wanted = "New Name <B@example.org>\nd@example.org\n"
    planned = mailman("syncmembers", "-n", "-", "crew@lists.example.org", stdin=wanted)
    assert planned.stdout == "[ADD] d@example.org\n[DEL] C@example.org\n"
    assert mailman("members", "-c", "crew@lists.example.org").stdout == "2\n"
    assert mailman("syncmembers", "-W", "-G", "-", "crew@lists.example.org", stdin=wanted).stdout == planned.stdout
    assert mailman("syncmembers", "-", "crew@lists.example.org", stdin=wanted).stdout == "Nothing to do\n"
    assert mailman("delmembers", "-a", "-G", "-l", "crew@lists.example.org").returncode == 0
    assert mailman("members", "-c", "crew@lists.example.org").stdout == "0\n"
    assert mailman("delmembers", "-l", "crew@lists.example.org").returncode == 2
