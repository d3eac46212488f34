"""A whole site as an operator has it: `postroad serve` as a process of its own, on free ports, in a throw-away home.

    def test_something(site, sink):          # fixtures of conftest.py
        site.command("list", "add", "dogs@lists.example.com")
        site.post("anna@example.org", "dogs@lists.example.com", b"Subject: hello\\r\\n\\r\\nhi\\r\\n")
        sink.wait_for(3)
        site.page("/lists/dogs.lists.example.com/")

On SQLite, or with POSTROAD_TEST_DATABASE in a PostgreSQL database of its own.
"""

import contextlib
import os
import signal
import smtplib
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests import databases, programs, tables
from tests.ports import free_port

T = TypeVar("T")
PROGRAM = Path(sys.executable).with_name("postroad")
START_SECONDS = 60.0


def wait_until(what: Callable[[], T], seconds: float, complaint: str = "it did not happen") -> T:
    """The first true value of `what`; an AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"{complaint} within {seconds:g} s"
        time.sleep(0.01)
    return found


class Site:
    """One home and, between `start` and `stop`, its processes."""

    def __init__(self, home: Path, relay_port: int, **smtp: object) -> None:
        self.home = home
        self.smtp = {"host": "127.0.0.1", "port": relay_port, **smtp}
        self.web_port, self.rest_port, self.lmtp_port = free_port(), free_port(), free_port()
        self.rest_password = "restpass"
        self.mail: dict[str, object] = {}
        """Keys of `[mail]`; set before `start`."""
        self.maps: dict[str, object] = {}
        self.templates: dict[str, object] = {}
        self.process: subprocess.Popen[str] | None = None
        self._database = f"story_{uuid.uuid4().hex[:12]}"

    @property
    def database_url(self) -> str:
        return databases.url_of(self._database)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    def write_configuration(self) -> None:
        sections = {
            "site": {"base_url": self.base_url, "owner": "postmaster@lists.example.com"},
            "database": {"url": self.database_url},
            "web": {"listen": f"127.0.0.1:{self.web_port}"},
            "rest": {"listen": f"127.0.0.1:{self.rest_port}", "password": self.rest_password},
            "lmtp": {"listen": f"127.0.0.1:{self.lmtp_port}"},
            "smtp": self.smtp,
            "mail": self.mail,
            "maps": self.maps,
            "templates": self.templates,
        }
        lines = []
        for name, keys in sections.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "postroad.toml").write_text("\n".join(lines) + "\n")

    def start(self, *options: str) -> None:
        """Start `postroad serve` and wait for its `ready`."""
        if not (self.home / "postroad.toml").exists():
            self.write_configuration()
            tables.copy_to(self.home, self._database)
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--home", self.home, *options],
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=(self.home / "log").open("a"),
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line == "ready\n", f"no `ready` but {line!r}; {self.log()[-3000:]}"

    def stop(self, seconds: float = 40) -> int:
        """End the site in good order; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def kill(self) -> None:
        """`kill -9` of the supervisor alone; its processes notice by themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def close(self) -> None:
        """Stop if it runs, and drop the PostgreSQL database."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
        if self.process is not None:
            self.kill()
        databases.drop(self._database)

    def roles(self) -> dict[str, int]:
        """The process ids of the roles that run now, by name."""
        assert self.process is not None
        found = {}
        with contextlib.suppress(FileNotFoundError):
            for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
                with contextlib.suppress(OSError):
                    found[Path(f"/proc/{child}/comm").read_text().partition(".")[0].strip()] = int(child)
        return found

    def log(self) -> str:
        return (self.home / "log").read_text()

    def command(self, *words: str, given: str = "") -> str:
        """Run a `postroad` command on this home; its output. A failure is an AssertionError with what it said."""
        run = programs.run([PROGRAM, "--home", self.home, *words], given, environment=self._environment())
        assert run.returncode == 0, f"postroad {' '.join(words)}: {run.returncode}\n{run.stdout}{run.stderr}"
        return run.stdout

    def waiting(self) -> int:
        """How many mails wait in any queue or are being worked on."""
        return databases.number(self.home, self._database, "SELECT count(*) FROM queue_job WHERE state = 0")

    def page(self, path: str) -> str:
        """The text of a page that is there."""
        with urllib.request.urlopen(self.base_url + path, timeout=20) as answer:
            return answer.read().decode()

    def post(self, sender: str, recipient: str, mail: bytes) -> None:
        """Hand in a mail by LMTP, as the MTA does."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as lmtp:
            lmtp.sendmail(sender, [recipient], mail)

    def _environment(self) -> dict[str, str]:
        return {key: value for key, value in os.environ.items() if not key.startswith(("POSTROAD_", "DJANGO_"))}


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value) if isinstance(value, int | float) else f'"{value}"'
