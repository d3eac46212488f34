"""Mail nobody should send, and a site that is in trouble: each has a defined end, and the mail is still there."""

import json
import os
import re
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.running_site import Site, wait_until
from tests.stories.sink import Sink, value_of

MEMBER = "anne@example.net"
LIST = "dogs@lists.example.com"
MB = 1024 * 1024
NEST = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(1000))
HEAD = b"From: Anne <anne@example.net>\r\nTo: dogs@lists.example.com\r\nSubject: dogs\r\n"


@pytest.fixture(scope="module")
def world() -> Iterator[Sink]:
    """Everybody a site of this module sends to."""
    made = Sink()
    yield made
    made.close()


@pytest.fixture(scope="module")
def dogs(world, tmp_path_factory) -> Iterator[Site]:
    """A site that goes on through all of this, as a real one must."""
    made = Site(tmp_path_factory.mktemp("dogs"), world.port)
    made.start()
    made.command("list", "add", LIST)
    made.command("member", "add", "--no-welcome", LIST, given=f"{MEMBER}\nbart@example.net\n")
    yield made
    made.close()


@pytest.fixture
def sink(world) -> Sink:
    """What arrives from now on."""
    world.mails.clear()
    return world


def outcomes(site: Site, message_id: str) -> list[str]:
    """The outcomes of a mail's journey so far."""
    found = json.loads(site.command("trace", "--json", f"<{message_id}>"))
    return [step["outcome"] for step in found["steps"]]


BOMBS = {
    "a MIME bomb of many parts": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n\r\nx\r\n" * 100_000,
    "a MIME bomb of nested parts": HEAD + NEST,
    "a header of 30 MB": HEAD + b"X-Long: " + (b"a" * 70 + b"\r\n ") * (30 * MB // 73) + b"\r\n\r\nhi\r\n",
    "300,000 header fields": HEAD + b"X: a\r\n" * 300_000 + b"\r\nhi\r\n",
    "a charset that does not exist": HEAD + b"Content-Type: text/plain; charset=no\x00such\r\n\r\n\xff\xfe hi\r\n",
    "a charset that lies": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\ngr\xfc\xdfe\r\n",
    "eight From fields": b"From: Anne <anne@example.net>\r\n" * 8 + b"Subject: dogs\r\n\r\nhi\r\n",
    "nothing at all": b"",
    "no header": b"just a text\r\n",
    "octets of every kind": bytes(b for b in range(256) if b not in b"\r\n") * 50 + b"\r\n",
}


def test_hostile_mails_end_visibly_and_the_next_one_passes(dogs, sink):
    dogs.command("list", "set", LIST, "max_message_size=0")
    for number, mail in enumerate(BOMBS.values()):
        dogs.post(MEMBER, LIST, b"Message-ID: <%d@bomb.example>\r\n" % number + mail)
    dogs.post(MEMBER, LIST, HEAD + b"Message-ID: <next@example.net>\r\n\r\nhello\r\n")
    wait_until(lambda: [m for m in sink.mails if value_of(m.content, b"Message-ID") == b"<next@example.net>"], 30)
    wait_until(lambda: not dogs.waiting(), 60)
    for number, name in enumerate(BOMBS):
        end = set(outcomes(dogs, f"{number}@bomb.example")) & {"sent", "held", "discarded", "rejected", "quarantined"}
        assert end, f"{name} did not end"
    assert "Traceback" not in dogs.log()


def test_a_mail_without_message_id_gets_one_and_is_archived(dogs, sink):
    dogs.post(MEMBER, LIST, HEAD + b"\r\nthe xylophone\r\n")
    mails = sink.wait_for(2)
    made = {value_of(mail.content, b"Message-ID") for mail in mails}
    assert len(made) == 1
    assert made.pop()
    wait_until(lambda: "/message/" in dogs.page("/lists/dogs.lists.example.com/search/?q=xylophone"), 10)


def test_two_mails_with_one_message_id_and_other_content_both_pass_and_both_are_archived(dogs, sink):
    for text in (b"the first zeppelin", b"the second zeppelin"):
        dogs.post(MEMBER, LIST, HEAD + b"Message-ID: <twice@example.net>\r\n\r\n" + text + b"\r\n")
    assert len({mail.content.split(b"\r\n\r\n", 1)[1][:20] for mail in sink.wait_for(4)}) == 2
    wait_until(
        lambda: len(re.findall("/message/", dogs.page("/lists/dogs.lists.example.com/search/?q=zeppelin"))) >= 2, 10
    )


def test_a_name_with_line_breaks_brings_no_header_and_no_command(dogs, sink):
    """Encoded CR LF in a display name comes out of decoding only; it must stay inside its field."""
    name = b"=?utf-8?q?Anne=0D=0ABcc=3A_evil=40example=2Enet=0D=0A=2E=0D=0AQUIT?="
    dogs.command("list", "set", LIST, "dmarc_mitigate_unconditionally=true", "dmarc_mitigate_action=munge_from")
    dogs.post(
        MEMBER,
        LIST,
        b"From: "
        + name
        + b" <anne@example.net>\r\nTo: dogs@lists.example.com\r\nSubject: hi\r\nMessage-ID: <n@x>\r\n\r\nhi\r\n",
    )
    for mail in sink.wait_for(2):
        assert value_of(mail.content, b"Bcc") == b""
        assert b"Anne" in mail.content.split(b"\r\n\r\n")[0]


def test_an_unknown_list_is_refused_at_rcpt(dogs):
    with smtplib.LMTP("127.0.0.1", dogs.lmtp_port) as lmtp, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        lmtp.sendmail(MEMBER, ["cats@lists.example.com"], HEAD + b"\r\nhi\r\n")
    assert refused.value.recipients["cats@lists.example.com"][0] == 550


# --- a full disk


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 24 MB of its own."""
    with tempfile.TemporaryDirectory(prefix="postroad-disk-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("needs the right to mount a small disk")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def refusal(lmtp: smtplib.LMTP, mail: bytes) -> tuple[int, bytes] | None:
    """Code and enhanced status that a mail was refused with, None when it was taken."""
    try:
        lmtp.sendmail(MEMBER, [LIST], mail)
    except smtplib.SMTPDataError as refused:
        return refused.smtp_code, refused.smtp_error.split()[0]
    return None


@pytest.mark.sqlite_only
def test_a_full_disk_puts_senders_off_and_loses_nothing(small_disk, sink):
    site = Site(small_disk / "home", sink.port)
    try:
        site.start()
        site.command("list", "add", LIST)
        site.command("list", "set", LIST, "max_message_size=0")
        site.command("member", "add", "--no-welcome", LIST, given=f"{MEMBER}\n")
        accepted = []
        with smtplib.LMTP("127.0.0.1", site.lmtp_port) as lmtp:
            for number in range(60):
                text = os.urandom(400_000).hex().encode()
                body = b"\r\n".join(text[i : i + 900] for i in range(0, len(text), 900))
                mail = HEAD + b"Message-ID: <%d@example.net>\r\n\r\n" % number + body + b"\r\n"
                refused = refusal(lmtp, mail)
                if refused:
                    break
                accepted.append(number)
        assert accepted
        assert refused == (452, b"4.3.1")
        # Whoever runs the machine makes room.
        subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
        sink.wait_for(len(accepted), 60)
        site.post(MEMBER, LIST, HEAD + b"Message-ID: <after@example.net>\r\n\r\nhi\r\n")
        wanted = {b"<%d@example.net>" % n for n in accepted} | {b"<after@example.net>"}
        # A mail may come twice, whose copy had gone out when there was no room to note it.
        wait_until(lambda: {value_of(m.content, b"Message-ID") for m in sink.mails} >= wanted, 30)
        assert {value_of(m.content, b"Message-ID") for m in sink.mails} == wanted
    finally:
        site.close()
