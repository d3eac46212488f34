"""`postroad import mbox`: an old mailbox becomes an archive, however often and however far it is called."""

import email.utils
import json

import pytest
from click.testing import CliRunner
from django.test import Client

from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.models import Mail, OldAddress, Thread
from postroad.mailflow.archive.search.index import search
from postroad.mailflow.archive.search.query import parse
from postroad.upgrade.importing.engine import run
from postroad.upgrade.importing.progress import Silent
from postroad.upgrade.mbox.steps import Mailbox, mails_step
from postroad.upgrade.mbox.understanding import arrival, attachment_folder

pytestmark = pytest.mark.django_db(transaction=True)

LINE = "From a@x.example  Mon Mar  1 10:00:00 2004\n"


def mail(number: int, text: str = "Hello", *, answers: int | None = None, **fields: str) -> str:
    head = {
        "From": f"Person {number} <p{number}@x.example>",
        "Subject": "Ants",
        "Date": email.utils.formatdate(1_078_135_200 + number * 60),
        "Message-ID": f"<{number}@x.example>",
    }
    if answers is not None:
        head["References"] = f"<{answers}@x.example>"
    head |= fields
    return "".join(f"{name}: {value}\n" for name, value in head.items() if value) + f"\n{text}\n"


@pytest.fixture
def bring(ant, tmp_path):
    """Write mails into a mailbox and import it."""

    def brought(*mails: str, jobs: int = 1, dry_run: bool = False, **more):
        path = tmp_path / "ant.mbox"
        path.write_text("".join(LINE + text + "\n" for text in mails), newline="")
        box = Mailbox("ant.mbox", path, "mbox", ant.list_id, **more)
        return run("ant", [mails_step([box])], Silent(), jobs=jobs, dry_run=dry_run)

    return brought


@pytest.mark.parametrize("jobs", [1, 2])
def test_mails_are_threaded_found_and_kept_byte_for_byte(bring, ant, jobs):
    mails = [mail(1, "about xylophones"), mail(2, answers=1), mail(3, answers=2), mail(4, Subject="Bees")]
    report = bring(*mails, jobs=jobs)
    assert (report.kinds[0].new, list(report.notes), report.exit_code) == (4, [], 0)
    assert sorted(Thread.objects.values_list("subject", "count")) == [("Ants", 3), ("Bees", 1)]
    rows = Mail.objects.order_by("date")
    assert [storage.load(row.message).decode() for row in rows] == mails
    assert search(parse("xylophones"), [ant.pk], 0, 20).total == 1


def test_a_second_call_changes_nothing_and_a_longer_mailbox_adds_what_is_new(bring):
    bring(mail(1), mail(2, answers=1))
    report = bring(mail(1), mail(2, answers=1), mail(3, answers=2))
    assert (report.kinds[0].new, report.kinds[0].unchanged) == (1, 2)
    assert Mail.objects.count() == 3


def test_a_mailbox_from_which_mails_were_taken_doubles_nothing_and_loses_nothing(bring):
    bring(mail(1), mail(2), mail(3))
    bring(mail(2), mail(3))
    assert Mail.objects.count() == 3


def test_two_contents_with_one_message_id_are_both_kept(bring):
    bring(mail(1, "one"), mail(1, "other"), mail(1, "one"))
    assert Mail.objects.count() == 2
    bring(mail(1, "one"), mail(1, "other"), mail(1, "one"))
    assert Mail.objects.count() == 2


def test_a_mail_without_message_id_gets_one_that_stays_and_is_told(bring):
    report = bring(mail(1, **{"Message-ID": ""}))
    known = Mail.objects.get().message_id
    assert list(report.notes) == [
        ("mails", "ant.mbox at byte 0", "mapped", f"it has no Message-ID and is known as <{known}> here")
    ]
    bring(mail(7), mail(1, **{"Message-ID": ""}))
    assert Mail.objects.filter(message_id=known).count() == 1


@pytest.mark.parametrize("date", ["Thu, 99 Foo 2004 99:99:99", "", "Mon, 01 Mar 2094 10:00:00 +0000", "yesterday"])
def test_a_mail_with_an_impossible_date_is_shown_when_it_came(bring, date):
    report = bring(mail(1, Date=date, **({} if date else {"Received": "from x"})))
    assert Mail.objects.get().date.isoformat() == "2004-03-01T10:00:00+00:00"
    assert "cannot be right: shown as of 2004-03-01 10:00:00" in next(iter(report.notes))[3]


def test_noise_is_told_with_its_place_and_stops_nothing(bring, ant, tmp_path):
    path = tmp_path / "ant.mbox"
    path.write_bytes(b"\xff\x00noise\n\n" + (LINE + mail(1) + "\n").encode())
    report = run("ant", [mails_step([Mailbox("ant.mbox", path, "mbox", ant.list_id)])], Silent())
    assert Mail.objects.count() == 1
    assert list(report.notes) == [("mails", "ant.mbox, bytes 0 to 9", "impossible", "no mail begins here")]
    assert report.exit_code == 1


def test_a_plan_archives_nothing(bring):
    assert bring(mail(1), dry_run=True).kinds[0].new == 1
    assert not Mail.objects.exists()


def test_pipermail_s_numbers_and_attachment_folders_lead_to_the_mail(bring, ant):
    text = "--b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: image/png\n\nx\n--b--"
    folder = attachment_folder("<2@x.example>")
    bring(
        mail(1, "one\nFrom here on\ntwo"), mail(2, text, **{"Content-Type": 'multipart/mixed; boundary="b"'}),
        is_pipermail=True, attachment_folders=frozenset({folder}),
    )  # fmt: skip
    rows = OldAddress.objects.values_list("path", "mail__message_id")
    assert dict(rows) == {
        "000000.html": "1@x.example", "000001.html": "1@x.example", "000002.html": "2@x.example", f"attachments/{folder}": "2@x.example"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"From a  Tue Jan  1 00:34:54 2002", 1009845294.0),
        (b"From a  Mon Dec 2 00:06:00 +0200 2013", 1385942760.0),
        (b"From a  Mon Foo 2 00:06:00 2013", None),
        (b"", None),
    ],
)
def test_the_time_of_arrival_is_read_from_the_separator(line, expected):
    assert arrival(line) == expected


def test_a_conversation_with_a_very_long_chain_is_archived_and_its_pages_answer(bring, ant, django_user_model):
    depth = 3000
    bring(*(mail(n, answers=n - 1 if n else None) for n in range(depth)), jobs=2)
    thread = Thread.objects.get()
    assert thread.count == depth
    client = Client()
    last = Mail.objects.get(message_id=f"{depth - 1}@x.example")
    for path in (f"thread/{thread.key}/", f"message/{last.message_id_hash}/", "archive/2004/3/", ""):
        assert client.get(f"/lists/{ant.list_id}/{path}").status_code == 200


def test_the_command_says_what_it_did(ant, tmp_path):
    from postroad.foundation.configuration import current
    from postroad.project.cli import cli

    path = tmp_path / "old.mbox"
    path.write_text(LINE + mail(1))
    called = CliRunner().invoke(cli, ["import", "mbox", "ant@example.com", str(path), "--home", str(current().home)])
    assert called.exit_code == 0, called.output
    assert "mails                                 1            1" in called.output
    verify = ["verify", "mbox", "ant@example.com", str(path), "--home", str(current().home)]
    assert CliRunner().invoke(cli, verify).exit_code == 0
    Mail.objects.all().delete()
    called = CliRunner().invoke(cli, [*verify, "--json"])
    assert (called.exit_code, json.loads(called.output)[0]["there"], json.loads(called.output)[0]["here"]) == (1, 1, 0)
    wrong = CliRunner().invoke(cli, ["import", "mbox", "bee@example.com", str(path), "--home", str(current().home)])
    assert "There is no list bee@example.com" in str(wrong.exception)
