"""A private InterNetNews on a port of loopback: the real peer of the gateway's tests."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIN = Path("/usr/lib/news/bin")
IS_INSTALLED = (BIN / "innd").exists() and os.geteuid() == 0

_FOLDERS = (
    "db", "etc", "run", "log", "tmp", "http", "filter", "spool/articles", "spool/overview", "spool/incoming/bad",
    "spool/outgoing", "spool/archive", "spool/innfeed",
)  # fmt: skip
_FILES = {
    "etc/storage.conf": "method tradspool {\n newsgroups: *\n class: 0\n}\n",
    "etc/expire.ctl": "/remember/:11\n*:A:1:10:never\n",
    "etc/readers.conf": 'auth all { hosts: "*" default: "<local>" }\n'
    'access all { users: "*" newsgroups: "*" access: RPA }\n',
    "etc/incoming.conf": "streaming: true\nmax-connections: 8\n",
    "etc/newsfeeds": "ME:*::\n",
    "etc/moderators": "*:moderator@example.org\n",
    "etc/control.ctl": "all:*:*:drop\n",
    "etc/passwd.nntp": "",
    "etc/cycbuff.conf": "",
    "db/active": "control 0000000000 0000000001 n\ncontrol.cancel 0000000000 0000000001 n\njunk 0000000000 0000000001 n\n"
    "test.ants 0000000000 0000000001 y\ntest.moderated 0000000000 0000000001 m\n",
    "db/newsgroups": "",
    "db/active.times": "",
    "db/history": "",
}


def _configuration(home: Path, port: int) -> str:
    folders = {
        "pathdb": "db", "pathetc": "etc", "pathrun": "run", "pathlog": "log", "pathspool": "spool",
        "patharticles": "spool/articles", "pathoverview": "spool/overview", "pathincoming": "spool/incoming",
        "pathoutgoing": "spool/outgoing", "patharchive": "spool/archive", "pathtmp": "tmp", "pathfilter": "filter",
        "pathhttp": "http",
    }  # fmt: skip
    fixed = {
        "mta": "/bin/true", "mailcmd": "/bin/true", "organization": "test", "ovmethod": "tradindexed",
        "hismethod": "hisv6", "pathhost": "news.example.org", "domain": "example.org", "fromhost": "example.org",
        "server": "127.0.0.1", "pathnews": "/usr/lib/news", "pathbin": str(BIN), "port": str(port),
        "bindaddress": "127.0.0.1", "nnrpdpostport": str(port), "enableoverview": "true", "wireformat": "true",
    }  # fmt: skip
    return "".join(f"{key}: {value}\n" for key, value in {**fixed, **{k: home / v for k, v in folders.items()}}.items())


@contextmanager
def running(home: Path) -> Iterator[int]:
    """Run innd with the groups test.ants and test.moderated; its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for folder in _FOLDERS:
        (home / folder).mkdir(parents=True)
    for name, text in {**_FILES, "etc/inn.conf": _configuration(home, port)}.items():
        (home / name).write_text(text)
    for path in (home, *home.rglob("*")):
        shutil.chown(path, "news", "news")
    environment = {"INNCONF": str(home / "etc/inn.conf"), "PATH": os.environ["PATH"], "HOME": str(home)}
    as_news = {"env": environment, "user": "news", "group": "news", "extra_groups": [], "cwd": home}
    subprocess.run(
        [BIN / "makedbz", "-i", "-o", "-s", "1000", "-f", home / "db/history"],
        check=True,
        capture_output=True,
        **as_news,
    )
    with (home / "innd.out").open("wb") as out:
        innd = subprocess.Popen([BIN / "innd", "-d"], stdout=out, stderr=out, start_new_session=True, **as_news)
    try:
        _await(port, innd)
        yield port
    finally:
        os.killpg(innd.pid, 9)
        innd.wait()


def _await(port: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)  # A port that opens gives no other sign.
        else:
            return
    raise RuntimeError(f"innd did not start: {process.poll()}")
