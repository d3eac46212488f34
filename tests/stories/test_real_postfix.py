"""The whole road with a real MTA on both sides: Postfix hands in by LMTP and takes the copies by SMTP."""

import time
from collections.abc import Iterator

import pytest

from tests.stories.postfix import Postfix, why_not
from tests.stories.running_site import wait_until
from tests.stories.sink import value_of

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can run")

MEMBERS = [f"member{number}@example.net" for number in range(25)]
POST = (
    "From: Anna Example <member0@example.net>\r\nTo: dogs@lists.example.com\r\nSubject: =?utf-8?q?H=C3=BCtten?=\r\n"
    "Message-ID: <story-1@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\nWho has a xylophonic kennel für Hunde?\r\n.a line that begins with a dot\r\n"
).encode()


@pytest.fixture
def postfix(site, sink) -> Iterator[Postfix]:
    made = Postfix("lists.example.com", site.lmtp_port, sink.port)
    made.start()
    yield made
    made.stop()


def test_a_post_by_postfix_reaches_every_member_and_is_found(site, sink, postfix):
    """Submitted to Postfix, judged, sent as personal copies through Postfix, archived, and found by search."""
    site.smtp["port"] = postfix.port
    site.start()
    site.command("list", "add", "dogs@lists.example.com")
    site.command("member", "add", "--no-welcome", "dogs@lists.example.com", given="\n".join(MEMBERS))

    postfix.submit("member0@example.net", "dogs@lists.example.com", POST)
    mails = sink.wait_for(len(MEMBERS))
    wait_until(lambda: found_by_search(site), 30, "the search did not find it")
    assert sorted(mail.recipients for mail in mails) == sorted((member,) for member in MEMBERS)
    for mail in mails:
        assert mail.sender.startswith(f"dogs-bounces+{mail.recipients[0].replace('@', '=')}=")
        assert b"Who has a xylophonic kennel f\xc3\xbcr Hunde?\r\n.a line that begins with a dot\r\n" in mail.content
        assert value_of(mail.content, b"List-Unsubscribe-Post") == b"List-Unsubscribe=One-Click"
    assert len({value_of(mail.content, b"List-Unsubscribe") for mail in mails}) == len(MEMBERS)
    trace = site.command("trace", "<story-1@example.net>")
    assert trace.count("250 2.0.0 Ok: queued as") == len(MEMBERS)
    assert len(sink.mails) == len(MEMBERS), "somebody got it twice"
    assert site.stop() == 0


def found_by_search(site) -> bool:
    return "/message/" in site.page("/lists/dogs.lists.example.com/search/?q=xylophonic")


def test_mail_that_comes_while_postroad_is_away_waits_in_postfix(site, sink, postfix):
    """Postroad is down: Postfix keeps the mail and brings it when asked again; nothing is refused."""
    site.smtp["port"] = postfix.port
    site.start()
    site.command("list", "add", "dogs@lists.example.com")
    site.command("member", "add", "--no-welcome", "dogs@lists.example.com", given="\n".join(MEMBERS[:3]))
    site.stop()
    postfix.submit("member0@example.net", "dogs@lists.example.com", POST)
    wait_until(lambda: "status=deferred" in postfix.log(), 20, "Postfix did not try")
    site.start()
    began = time.monotonic()
    postfix._run("flush")
    sink.wait_for(3)
    assert time.monotonic() - began < 20
