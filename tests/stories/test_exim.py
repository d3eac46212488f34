"""A real Exim, set up by the words of docs/guides/postfix.md, asks Postroad for hosts and addresses."""

import os
import re
import shutil
import signal
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.running_site import free_port, wait_until

UNPACKED = Path(__file__).parents[2] / ".tools/exim/usr/sbin/exim4"
"""Debian installs one mail server at a time, so `.ci/run` unpacks this one beside Postfix."""
EXIM = shutil.which("exim4") or (str(UNPACKED) if UNPACKED.exists() else "")
pytestmark = pytest.mark.skipif(not EXIM or os.geteuid() != 0, reason="Exim is not installed, or not startable")

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "postfix.md").read_text()
POST = b"From: anna@example.net\r\nTo: dogs@lists.example.com\r\nSubject: Kennels\r\nMessage-ID: <k@x.org>\r\n\r\nWhere?\r\n"
MAIN = """
primary_hostname = mx.example.com
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
exim_path = {exim}
acl_smtp_rcpt = rcpt
{main}
begin acl
rcpt:
{acl}
  deny
{routes}
"""


class Exim:
    """An Exim of the test's own, on `port`."""

    def __init__(self, folder: Path, maps_port: int, lmtp_port: int) -> None:
        section = GUIDE.partition("## Exim\n")[2]
        main, acl, routes = re.findall(r"```\n(.*?)```", section, re.DOTALL)
        self.port = free_port()
        folder.mkdir(parents=True)
        shutil.chown(folder, "Debian-exim")
        configuration = folder / "exim.conf"
        configuration.write_text(
            MAIN.format(
                port=self.port,
                folder=folder,
                exim=EXIM,
                main=main.replace("8025", str(maps_port)),
                acl=acl,
                routes=routes.replace("8024", str(lmtp_port)),
            )
        )
        self._process = subprocess.Popen([EXIM, "-C", configuration, "-bdf", "-q1m"])
        wait_until(self._answers, 20, "Exim did not open its port")

    def _answers(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=5):
                return True
        except OSError:
            return False

    def reply(self, recipient: str) -> tuple[int, str]:
        """What Exim says to RCPT."""
        with smtplib.SMTP("127.0.0.1", self.port) as smtp:
            smtp.ehlo()
            smtp.mail("anna@example.net")
            code, text = smtp.rcpt(recipient)
            return code, text.decode()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)


@pytest.fixture
def exim(site, sink) -> Iterator[Exim]:
    port = free_port()
    site.maps = {"listen": f"127.0.0.1:{port}"}
    site.home.parent.chmod(0o755)
    site.start()
    made = Exim(site.home.parent / "exim", port, site.lmtp_port)
    yield made
    made.stop()


def test_exim_knows_which_addresses_are_lists(site, sink, exim):
    assert exim.reply("dogs@lists.example.com")[0] == 550, "not even the host is known"
    site.command("list", "add", "dogs@lists.example.com")
    assert exim.reply("dogs@lists.example.com")[0] == 250, "made a moment ago"
    assert exim.reply("dogs-bounces+anna=example.net=ab12@lists.example.com")[0] == 250
    code, text = exim.reply("cats@lists.example.com")
    assert (code, text) == (550, "No such list here")
    assert exim.reply("dogs@example.net")[0] == 550
    site.command("member", "add", "--no-welcome", "dogs@lists.example.com", "anna@example.net", "bert@example.net")
    with smtplib.SMTP("127.0.0.1", exim.port) as smtp:
        smtp.sendmail("anna@example.net", ["dogs@lists.example.com"], POST)
    assert len(sink.wait_for(2)) == 2
