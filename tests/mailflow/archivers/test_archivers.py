"""Archivers of others get each post that the list, its policy and the author let them have; none is lost on the way."""

import dataclasses
import mailbox
import shutil
import sys
import time
from pathlib import Path

import pytest

from postroad.community.lists import actions as lists
from postroad.community.lists.models import ListArchiver
from postroad.foundation.configuration import current
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_hash
from postroad.foundation.message.segments import decode as decode_template
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, decode
from postroad.foundation.queue.models import Job, Step
from postroad.foundation.queue.worker import Worker
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archivers.actions import with_clear_date
from postroad.mailflow.timetable import GATEWAYS, STAGES

pytestmark = pytest.mark.django_db(transaction=True)

POST = (
    b"From: Anne <anne@example.org>\r\nTo: ant@example.com\r\nSubject: Hello\r\nMessage-ID: <one@example.org>\r\n"
    b"%sDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\nHello ants.\r\n"
)
HASH = message_id_hash("one@example.org")
WRITES = (sys.executable, "-c", "import sys; open('got', 'wb').write(sys.stdin.buffer.read())")


@pytest.fixture
def offer(settings, tmp_path):
    """Have the site offer archivers: `offer(mhonarc=True, mhonarc_command=("true",))`; its home is the test's own."""

    def run(**keys):
        archivers = dataclasses.replace(current().archivers, clobber_date="never", **keys)
        settings.POSTROAD = dataclasses.replace(current(), home=tmp_path, archivers=archivers)

    return run


def post(mailing_list, extra: bytes = b"", received_at: float | None = None) -> None:
    """An accepted post goes through the pipeline and to the archivers."""
    raw = POST % extra
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(raw), message_id="one@example.org", size=len(raw),
        received_at=received_at or time.time(), list_id=mailing_list.list_id, sender="anne@example.org",
    )  # fmt: skip
    queue.put("pipeline", envelope)
    Worker("test", [stage for stage in STAGES if stage.queue == "pipeline"]).run_until_idle()
    hand_over()


def hand_over() -> None:
    Worker("test", [stage for stage in GATEWAYS if stage.queue == "archivers"]).run_until_idle()


def told() -> list[tuple[str, str]]:
    return list(Step.objects.filter(stage="archivers").values_list("outcome", "reason"))


def for_service():
    """What waits to be mailed to a service."""
    waiting = [decode(bytes(data)) for data in Job.objects.filter(queue="delivery").values_list("envelope", flat=True)]
    return [envelope for envelope in waiting if envelope.recipients]


def test_a_maildir_has_each_post_once_with_the_fields_of_the_list(ant, offer, tmp_path):
    offer(prototype=True)
    post(ant)
    again = Step.objects.get(stage="archivers")
    assert again.outcome == "handed over"
    (kept,) = mailbox.Maildir(tmp_path / "archives" / "prototype" / "ant@example.com").values()
    assert (kept["From"], kept["Subject"]) == ("Anne <anne@example.org>", "[Ant] Hello")
    assert kept["List-Id"] == "<ant.example.com>"
    assert kept["Message-ID-Hash"] == HASH
    assert kept["List-Unsubscribe"] == "<mailto:ant-leave@example.com>"  # Nobody's personal link.
    assert kept.get_payload() == "Hello ants.\n"


def test_handing_over_again_after_a_crash_makes_no_second_file(ant, offer, tmp_path):
    """The worker dies after the file was written and before that was noted: the job comes again."""
    offer(prototype=True)
    post(ant)
    job = Envelope(
        journey=Step.objects.get(stage="archivers").journey, message=storage.store(POST % b""), received_at=1.0,
        message_id="one@example.org", list_id=ant.list_id, archiver="prototype",
    )  # fmt: skip
    folder = tmp_path / "archives" / "prototype" / "ant@example.com" / "new"
    for _ in range(2):
        queue.put("archivers", job)
        hand_over()
    assert len([file for file in folder.iterdir() if file.name.startswith("1.")]) == 1


def test_a_program_reads_the_post_in_the_folder_of_the_list(ant, offer, tmp_path):
    offer(mhonarc=True, mhonarc_command=WRITES)
    post(ant)
    got = (tmp_path / "archives" / "mhonarc" / "ant@example.com" / "got").read_bytes()
    assert b"\nHello ants.\n" in got
    assert told() == [("handed over", f"mhonarc: taken by {sys.executable.rpartition('/')[2]}")]


def test_what_stands_for_the_list_in_a_command_is_no_more_than_an_argument(offer, settings, tmp_path):
    """A site may allow any name, and no shell ever reads it."""
    settings.POSTROAD = dataclasses.replace(current(), mail=dataclasses.replace(current().mail, listname_chars="[^@]"))
    lists.create_domain("example.com")
    odd = lists.create_list("a$b{c}!@example.com")
    offer(mhonarc=True, mhonarc_command=("touch", "$listname;x", "$hostname.$unknown"))
    post(odd)
    there = sorted(file.name for file in (tmp_path / "archives" / "mhonarc" / odd.fqdn_listname).iterdir())
    assert there == ["a$b{c}!@example.com;x", "example.com.$unknown"]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (("no-such-program",), "no-such-program cannot be started"),
        (("ls", "--no-such-option"), "ls ended with code 2: "),
        (("sh", "-c", "sleep 600 & sleep 600"), "sh was not done after 0.2 s"),
        ((), "there is no program"),
    ],
)
def test_a_program_that_fails_is_tried_again_and_in_the_end_set_aside(ant, offer, command, complaint):
    offer(mhonarc=True, mhonarc_command=command, mhonarc_seconds=0.2)
    post(ant)
    job = Job.objects.get(queue="archivers")
    assert (job.state, job.attempts) == (Job.State.LIVE, 1)
    assert complaint in job.error
    job.delete()
    post(ant, received_at=time.time() - 6 * 86_400)
    job = Job.objects.get(queue="archivers")
    assert job.state == Job.State.QUARANTINED
    assert complaint in job.error


def test_a_program_that_takes_too_long_ends_with_all_it_started(ant, offer, tmp_path):
    offer(mhonarc=True, mhonarc_command=("sh", "-c", "sleep 600 & echo $! > child; wait"), mhonarc_seconds=0.3)
    post(ant)
    child = (tmp_path / "archives" / "mhonarc" / "ant@example.com" / "child").read_text().strip()
    deadline = time.monotonic() + 5
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _lives(child)


def _lives(process: str) -> bool:
    """Whether the process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not shutil.which("mhonarc"), reason="MHonArc (Debian: mhonarc) is not installed")
def test_the_real_mhonarc_makes_pages(ant, offer, tmp_path):
    offer(mhonarc=True)
    post(ant)
    assert told()[0][0] == "handed over"
    pages = tmp_path / "archives" / "mhonarc" / "ant@example.com"
    assert "Hello ants." in (pages / "msg00000.html").read_text()


def test_the_service_gets_a_mail_with_the_authors_text_and_no_footer(ant, offer):
    offer(mail_archive=True)
    post(ant)
    (mail,) = for_service()
    assert mail.recipients == ("archive@mail-archive.com",)
    made = decode_template(storage.load(mail.template)).render({})
    assert made.endswith(b"\r\n\r\nHello ants.\r\n")
    assert Headers.parse(made).get("list-post") == "<mailto:ant@example.com>"


@pytest.mark.parametrize(
    ("policy", "extra", "switches", "expected"),
    [
        ("public", b"", {}, {"mail-archive", "mhonarc", "prototype"}),
        ("private", b"", {}, {"mhonarc", "prototype"}),
        ("never", b"", {}, set()),
        ("public", b"X-No-Archive: yes\r\n", {}, set()),
        ("public", b"X-Archive: No\r\n", {}, set()),
        ("public", b"", {"mhonarc": False, "mail-archive": False}, {"prototype"}),
    ],
)
def test_who_gets_a_post_is_for_site_list_policy_and_author_to_say(ant, offer, policy, extra, switches, expected):
    offer(prototype=True, mhonarc=True, mail_archive=True, mhonarc_command=("true",))
    lists.change_settings(ant, {"archive_policy": policy})
    lists.set_archivers(ant, switches)
    post(ant, extra)
    assert {reason.partition(":")[0] for _, reason in told()} == expected


def test_a_site_that_offers_none_hands_over_nothing(ant):
    post(ant)
    assert told() == []


def header_of(envelope: Envelope) -> Headers:
    """The header of a member's copy."""
    template = decode_template(storage.load(envelope.template))
    return Headers.parse(template.render(dict.fromkeys(template.slots, "x")))


def test_members_read_where_each_archive_shows_the_post(ant, offer):
    offer(prototype=True, mhonarc=True, mail_archive=True, mhonarc_command=("true",))
    post(ant)
    (copy,) = [e for e in map(decode, _envelopes("delivery")) if not e.recipients]
    made = header_of(copy)
    own = f"{current().site.base_url}/lists/ant.example.com"
    page = "http://example.com/archives/ant@example.com"
    assert made.get_all("list-archive") == [f"<{own}/>, <https://www.mail-archive.com/ant@example.com>, <{page}>"]
    assert made.get_all("archived-at") == [
        f"<{own}/message/{HASH}/>", f"<https://www.mail-archive.com/{HASH}>", f"<{page}/{HASH}>",
    ]  # fmt: skip


def _envelopes(name: str) -> list[bytes]:
    return [bytes(data) for data in Job.objects.filter(queue=name).values_list("envelope", flat=True)]


def test_a_list_that_had_hyperkitty_switched_off_is_not_archived_here(ant):
    """It had no archive before it was brought here, so it must not be public all of a sudden."""
    ListArchiver.objects.create(mailing_list=ant, name="hyperkitty", is_enabled=False)
    post(ant)
    assert not Job.objects.filter(queue="archive").exists()
    (copy,) = map(decode, _envelopes("delivery"))
    made = header_of(copy)
    assert made.get("list-archive") is made.get("archived-at") is None


def test_a_post_for_a_list_that_is_gone_ends(ant, offer):
    offer(prototype=True)
    queue.put(
        "archivers",
        Envelope(
            journey="x", message=storage.store(b"x\r\n\r\n"), message_id="x@y", received_at=1.0, list_id="gone.example.com",
            archiver="prototype",
        ),
    )  # fmt: skip
    hand_over()
    assert told() == [("discarded", "the list was removed meanwhile")]


@pytest.mark.parametrize(
    ("clobber", "date", "expected"),
    [
        ("never", "Mon, 01 Jan 1990 00:00:00 +0000", "Mon, 01 Jan 1990 00:00:00 +0000"),
        ("maybe", "Fri, 03 Jan 2025 00:00:00 +0000", "Fri, 03 Jan 2025 00:00:00 +0000"),
        ("maybe", "Mon, 01 Jan 1990 00:00:00 +0000", "Thu, 02 Jan 2025 12:00:00 +0000"),
        ("maybe", "yesterday", "Thu, 02 Jan 2025 12:00:00 +0000"),
        ("maybe", None, "Thu, 02 Jan 2025 12:00:00 +0000"),
        ("always", "Fri, 03 Jan 2025 00:00:00 +0000", "Thu, 02 Jan 2025 12:00:00 +0000"),
    ],
)
def test_a_date_that_cannot_be_right_is_replaced_and_kept_beside(settings, clobber, date, expected):
    archivers = dataclasses.replace(current().archivers, clobber_date=clobber)
    settings.POSTROAD = dataclasses.replace(current(), archivers=archivers)
    raw = b"Subject: x\r\n" + (f"Date: {date}\r\n".encode() if date else b"") + b"\r\nx\r\n"
    made = Headers.parse(with_clear_date(raw, 1_735_819_200.0))
    assert made.get_all("date") == [expected]
    assert made.get_all("x-original-date") == ([date] if date not in (expected, None) else [])
