"""A Postfix of the test's own: its own folders, ports and processes; the system's one is not touched."""

import os
import shutil
import smtplib
import subprocess
import tempfile
from pathlib import Path

from tests.ports import free_port
from tests.stories.running_site import wait_until

MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.example.com
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:{relay}
smtputf8_enable = yes
smtp_tls_security_level = none
smtpd_tls_security_level = none
"""

ROUTES = """
relay_domains = {domain}
transport_maps = inline:{{ {{ {domain} = lmtp:inet:[127.0.0.1]:{lmtp} }} }}
"""


def why_not() -> str:
    """Why it can't run here; empty when it can."""
    if not Path("/usr/lib/postfix/sbin/master").exists():
        return "Postfix is not installed"
    return "" if os.geteuid() == 0 else "Postfix's master starts as root only"


class Postfix:
    """Takes mail on `port`: that for `domain` (or as `routes` say) goes on by LMTP, all other to the relay port."""

    def __init__(self, domain: str, lmtp_port: int, relay_port: int, routes: str = ROUTES) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="postroad-postfix-"))
        self._folder.chmod(0o755)
        for name, mode in (("queue", 0o755), ("data", 0o700)):
            (self._folder / name).mkdir(mode=mode)
        shutil.chown(self._folder / "data", "postfix")
        (self._folder / "main.cf").write_text(
            MAIN.format(folder=self._folder, relay=relay_port) + routes.format(domain=domain, lmtp=lmtp_port)
        )
        (self._folder / "master.cf").write_text(MASTER.format(port=f"127.0.0.1:{self.port}"))

    def start(self) -> None:
        self._run("start")
        wait_until(self._answers, 20, "Postfix did not open its port")

    def stop(self) -> None:
        self._run("stop")
        shutil.rmtree(self._folder)

    def log(self) -> str:
        return (self._folder / "log").read_text()

    def submit(self, sender: str, recipient: str, mail: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self.port) as smtp:
            smtp.sendmail(sender, [recipient], mail)

    def _answers(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=5):
                return True
        except OSError:
            return False

    def _run(self, verb: str) -> None:
        run = subprocess.run(
            ["/usr/sbin/postfix", "-c", self._folder, verb], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
