"""A real Postfix, set up by the words of docs/guides/postfix.md, knows at any moment which addresses are lists'."""

import re
import smtplib
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stories.postfix import Postfix, why_not
from tests.stories.running_site import free_port

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can run")

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "postfix.md").read_text()
POST = b"From: anna@example.net\r\nTo: dogs@lists.example.com\r\nSubject: Kennels\r\nMessage-ID: <k@x.org>\r\n\r\nWhere?\r\n"


def told_by(title: str) -> tuple[dict[str, object], str]:
    """`[maps]` and the lines for main.cf of a section of the guide."""
    section = GUIDE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    toml, main = re.search(r"```toml\n(.*?)```.*?```\n(.*?)```", section, re.DOTALL).groups()
    return tomllib.loads(toml)["maps"], main


@pytest.fixture
def start(site, sink) -> Iterator[Callable[[str], Postfix]]:
    """The site and Postfix, both as a section of the guide says, but for ports and folders."""
    started = []

    def start(title: str) -> Postfix:
        site.maps, main = told_by(title)
        if "listen" in site.maps:
            port = free_port()
            main = main.replace(str(site.maps["listen"]), f"127.0.0.1:{port}")
            site.maps["listen"] = f"127.0.0.1:{port}"
        site.home.parent.chmod(0o755)
        postfix = Postfix("", 0, sink.port, main.replace("/var/lib/postroad", str(site.home)))
        started.append(postfix)
        site.smtp["port"] = postfix.port
        site.start()
        site.command("list", "add", "cats@lists.example.com")
        postfix.start()
        return postfix

    yield start
    for postfix in started:
        postfix.stop()


def reply(postfix: Postfix, recipient: str) -> tuple[int, str]:
    """What Postfix says to RCPT."""
    with smtplib.SMTP("127.0.0.1", postfix.port) as smtp:
        smtp.ehlo()
        smtp.mail("anna@example.net")
        code, text = smtp.rcpt(recipient)
        return code, text.decode()


def test_postfix_asks_live_and_while_postroad_is_away_senders_are_asked_to_come_back(site, sink, start):
    postfix = start("Postfix asks Postroad")
    code, text = reply(postfix, "dogs@lists.example.com")
    assert code == 550
    assert "User unknown in relay recipient table" in text
    site.command("list", "add", "dogs@lists.example.com")
    assert reply(postfix, "dogs@lists.example.com")[0] == 250, "made a moment ago"
    assert reply(postfix, "Dogs-bounces+anna=example.net=ab12@Lists.Example.com")[0] == 250
    assert reply(postfix, "dogs-nothing@lists.example.com")[0] == 550
    site.command("member", "add", "--no-welcome", "dogs@lists.example.com", "anna@example.net", "bert@example.net")
    postfix.submit("anna@example.net", "dogs@lists.example.com", POST)
    assert {mail.recipients for mail in sink.wait_for(2)} == {("anna@example.net",), ("bert@example.net",)}
    site.command("list", "remove", "--yes", "dogs@lists.example.com")
    assert reply(postfix, "dogs@lists.example.com")[0] == 550, "it is gone"
    assert reply(postfix, "cats@lists.example.com")[0] == 250
    site.stop()
    assert 400 <= reply(postfix, "cats@lists.example.com")[0] < 500
    site.start()
    assert reply(postfix, "cats@lists.example.com")[0] == 250


def test_the_doctor_sees_whether_postfix_knows_us(site, start, monkeypatch):
    postfix = start("Postfix asks Postroad")
    monkeypatch.setenv("MAIL_CONFIG", str(postfix._folder))
    told = site.command("doctor", "service", "mail server", "relay")
    assert "LMTP answers on" in told
    assert f"Postfix hands cats@lists.example.com to lmtp:inet:[127.0.0.1]:{site.lmtp_port}" in told
    assert "Postfix takes mail for lists.example.com (relay_domains)" in told
    main = postfix._folder / "main.cf"
    main.write_text(main.read_text().replace("transport_maps =", "other_maps =").replace("relay_domains =", "other ="))
    with pytest.raises(AssertionError, match=r"knows no way to cats@lists\.example\.com"):
        site.command("doctor", "mail server")


def test_postfix_reads_files(site, sink, start):
    postfix = start("Postfix reads files")
    assert reply(postfix, "cats@lists.example.com")[0] == 250
    assert reply(postfix, "cats-bounces+anna=example.net=ab12@lists.example.com")[0] == 250
    assert reply(postfix, "dogs@lists.example.com")[0] == 550
    site.command("member", "add", "--no-welcome", "cats@lists.example.com", "anna@example.net")
    postfix.submit("anna@example.net", "cats@lists.example.com", POST.replace(b"dogs", b"cats"))
    assert sink.wait_for(1)[0].recipients == ("anna@example.net",)
    site.command("list", "add", "dogs@lists.example.com")
    assert "dogs" in (site.home / "data" / "postfix_lmtp").read_text()
