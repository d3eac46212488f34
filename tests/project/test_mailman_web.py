"""The `mailman-web` command: what it meant goes on, in seconds, from any folder; what means nothing here says so."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from postroad.project.mailman_web.cli import NOTHING_TO_DO, OF_DJANGO, OWN

ARCHIVE = """
from django.db import transaction
from postroad.community.lists import actions as lists
from postroad.mailflow.archive import actions
lists.create_domain("example.com")
ant = lists.create_list("ant@example.com")
for number in range(3):
    raw = f"From: a@example.com\\nMessage-ID: <{number}@example.com>\\nSubject: Wood\\n\\nhello\\n".encode()
    with transaction.atomic():
        actions.archive(ant, actions.Incoming(raw, f"{number}@example.com", 1.7e9))
"""


@pytest.fixture(scope="module")
def web(tmp_path_factory, database):
    from .conftest import Site

    site = Site(tmp_path_factory.mktemp("home"), database)
    site.python("")

    def web(*arguments, stdin="", **environment):
        kept = site.environment
        site.environment = {**kept, **environment}
        try:
            return site(*arguments, stdin=stdin, program="mailman-web")
        finally:
            site.environment = kept

    web.site = site
    return web


def test_migrate_makes_a_new_database_and_then_has_nothing_to_do(web):
    assert web("migrate", "--check").returncode == 1
    made = web("migrate", "--noinput", "-v", "1", "--settings=mailman_web.settings.mailman")
    assert made.returncode == 0, made.stderr
    assert "made the database" in made.stdout
    again = web("migrate")
    assert (again.returncode, again.stdout) == (0, "nothing to do\n")
    assert web("migrate", "--check").returncode == 0
    assert web("migrate", "hyperkitty", "0010").returncode == 2
    assert "[X] 0001_initial" in web("showmigrations", "queue").stdout


@pytest.mark.parametrize("name", sorted(NOTHING_TO_DO))
def test_what_has_nothing_to_do_says_why_in_one_line(web, name):
    done = web(name, "--noinput", "-v", "2", "--settings", "x.y", "argument")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{NOTHING_TO_DO[name]}\n", "")


def test_commands_of_django_work_with_their_options(web):
    assert web("check", "--settings", "mailman_web.settings").returncode == 0
    assert web("clearsessions", DJANGO_SETTINGS_MODULE="mailman_web.settings").returncode == 0
    assert (
        web("shell", "-v", "0", "-c", "print(6 * 7)", MAILMAN_WEB_CONFIG="/etc/mailman3/settings.py").stdout == "42\n"
    )
    assert web("sendtestemail", "anna@example.org").returncode == 0
    assert "anna@example.org" in web("shell", "-v", "0", "-c", QUEUED).stdout
    assert web("dumpdata", "lists", "--pythonpath", "/opt").stdout.strip() == "[]"
    assert web("loaddata", "first_start").returncode == 0


QUEUED = """
from postroad.foundation.queue.models import Job
from postroad.foundation.queue.envelope import decode
print([decode(bytes(job.envelope)).recipients for job in Job.objects.all()])
"""


def test_a_superuser_can_sign_in_at_once(web):
    made = web(
        "createsuperuser", "--noinput", "--username", "olga", "--email", "Olga@example.org",
        DJANGO_SUPERUSER_PASSWORD="a long one",
    )  # fmt: skip
    assert (made.returncode, made.stdout) == (0, "Superuser created successfully.\n")
    again = web("createsuperuser", "--noinput", "--email", "olga@example.org")
    assert again.returncode == 2
    assert "belongs to a user already" in again.stderr
    assert web("createsuperuser", "--noinput").returncode == 2
    code = (
        "from django.contrib.auth import authenticate as a; from allauth.account.models import EmailAddress as E;"
        "u = a(email='olga@example.org', password='a long one'); print(u.is_superuser, E.objects.get(user=u).verified)"
    )
    assert web("shell", "-v", "0", "-c", code).stdout == "True True\n"
    assert web("changepassword", "nobody@example.org").returncode == 2


def test_a_password_is_asked_for_twice(web):
    def change(stdin):
        program = Path(sys.executable).with_name("mailman-web")
        return subprocess.run(
            [program, "changepassword", "olga@example.org"], input=stdin, capture_output=True, text=True,
            env=web.site.environment, start_new_session=True, check=False,
        )  # fmt: skip

    assert change("one\ntwo\n").returncode == 130
    changed = change("another one\nanother one\n")
    assert changed.returncode == 0, changed.stderr
    assert "Password changed for olga@example.org" in changed.stdout


def test_the_index_is_emptied_rebuilt_and_mended(web):
    web.site.python(ARCHIVE)
    assert web("haystack_info").stdout == "3 mails, 0 of them not in the index\n"
    assert web("clear_index", stdin="n\n").returncode == 130
    assert web("clear_index", "--noinput").returncode == 0
    assert web("haystack_info").stdout == "3 mails, 3 of them not in the index\n"
    assert web("update_index_one_list", "ant@example.com").stdout.endswith("3 mails were added to the index\n")
    assert web("rebuild_index", "--noinput", "-k", "4", "-b", "100").stdout.endswith(
        "3 mails were added to the index\n"
    )
    assert web("update_index", "-r", "-a", "24").stdout.endswith("0 mails were added to the index\n")
    nowhere = web("update_index_one_list", "none@example.com")
    assert (nowhere.returncode, nowhere.stdout) == (2, "")


MAIL = (
    "From a@x.org  Mon Mar  1 10:00:00 {year}\nFrom: a@x.org\nDate: 1 Mar {year} 10:00 +0000\nSubject: {year}\n\nHi\n\n"
)


def test_old_mailboxes_are_archived_once_however_often_they_are_given(web, tmp_path):
    box = tmp_path / "ant.mbox"
    box.write_text("".join(MAIL.format(year=year) for year in (2004, 2014, 2020)))
    given = ("hyperkitty_import", "-l", "ant@example.com", str(box), "--no-sync-mailman", "-v", "2")
    some = web(*given, "--since", "2014-01-01")
    assert some.returncode == 0, some.stderr
    assert web("haystack_info").stdout == "5 mails, 0 of them not in the index\n"
    assert web(*given).returncode == 0
    assert web(*given).returncode == 0
    assert web("haystack_info").stdout == "6 mails, 0 of them not in the index\n"
    for wrong in (("--since", "yesterday"), ("-l", "nobody@example.com"), ("-l", "ant"), (str(tmp_path / "none"),)):
        told = web(*given, *wrong)
        assert told.returncode in (2, 3), wrong
        assert "Traceback" not in told.stderr
    old = web(*given, "--since", "2999-01-01")
    assert old.returncode == 0, "a file that was not changed since then is not read"


def test_jobs_run_without_a_word_so_that_cron_sends_no_mail(web):
    for when in ("minutely", "yearly"):
        done = web("runjobs", when)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "forget expired requests" in web("runjobs", "-l").stdout
    assert web("runjob", "forget_expired_requests").returncode == 0
    assert "nothing to do" in web("runjob", "hyperkitty", "orphan_emails").stdout
    assert web("runjob", "other", "thing").returncode == 2
    assert web("qinfo").stdout.startswith("queue ")


def test_qcluster_waits_to_be_stopped_so_that_its_unit_does_not_start_it_again_and_again(web):
    process = subprocess.Popen(
        [Path(sys.executable).with_name("mailman-web"), "qcluster"],
        stdout=subprocess.PIPE, env={**web.site.environment, "PYTHONUNBUFFERED": "1"}, text=True,
    )  # fmt: skip
    assert "does the work of qcluster" in process.stdout.readline()
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()


def test_every_command_explains_itself(web):
    overview = web("help").stdout
    for name in (*OWN, *OF_DJANGO, *NOTHING_TO_DO):
        assert name in overview
    assert "snapshot" in web("help", "migrate").stdout
    assert web("migrate", "-h").stdout == web("help", "migrate").stdout
    assert "--database" in web("dumpdata", "--help").stdout
    assert web("--version").stdout.startswith("Postroad ")
    assert web("frobnicate").returncode == 2
    assert web("help", "frobnicate").returncode == 2
