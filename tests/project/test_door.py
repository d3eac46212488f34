"""While `serve` becomes a newer release, whoever hands in mail waits and is not turned away."""

import contextlib
import os
import select
import signal
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from postroad.foundation.sections import Listen
from postroad.project.door import close, hand_on, open_door
from tests.ports import free_port

PROGRAM = Path(sys.executable).with_name("postroad")


def test_a_door_is_handed_on_with_those_who_wait_before_it():
    listen = Listen("127.0.0.1", 0)
    doors = open_door(listen)
    try:
        with socket.create_connection(doors[0].getsockname()) as client:
            hand_on(listen, doors)
            again = open_door(listen)
            assert [door.fileno() for door in again] == [door.fileno() for door in doors]
            again[0].setblocking(True)
            assert again[0].accept()[1] == client.getsockname()
            for door in again:
                door.detach()
    finally:
        close(doors)


def test_no_reply_waits_for_the_clients_acknowledgement():
    """RFC 896 would hold a reply back for 40 ms, and each mail has several."""
    doors = open_door(Listen("127.0.0.1", 0))
    with socket.create_connection(doors[0].getsockname()):
        taken = doors[0].accept()[0]
    assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    taken.close()
    close(doors)


def test_another_address_gets_a_door_of_its_own_and_a_taken_one_gets_none():
    first = open_door(Listen("127.0.0.1", 0))
    port = first[0].getsockname()[1]
    assert open_door(Listen("127.0.0.1", port)) == []
    hand_on(Listen("127.0.0.1", 0), first)
    other = open_door(Listen("localhost", 0))
    assert other
    assert port not in [door.getsockname()[1] for door in other]
    close(other)
    for door in first:
        door.detach()


class Serving:
    """`postroad serve` as a process of its own."""

    def __init__(self, home: Path) -> None:
        self.file = home / "postroad.toml"
        self.file.write_text('[smtp]\nhost = ""\n[rest]\npassword = "x"\n')
        ports = [free_port() for _ in range(3)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("POSTROAD_", "DJANGO_"))}
        environment |= {
            f"POSTROAD_{name}_LISTEN": f"127.0.0.1:{port}"
            for name, port in zip(("LMTP", "WEB", "REST"), ports, strict=True)
        }
        self.lmtp = ports[0]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen([PROGRAM, "serve", "--home", home], env=environment, bufsize=0, **pipes)
        self.said = self.process.stdout
        assert self.said.readline() == b"ready\n"

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def is_silent(self) -> bool:
        return not select.select([self.said], [], [], 0)[0]

    def greet(self) -> None:
        smtplib.LMTP("127.0.0.1", self.lmtp, timeout=60).quit()


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    made = Serving(tmp_path_factory.mktemp("serving"))
    with made.process:
        yield made
        made.process.terminate()


@pytest.mark.sqlite_only
@pytest.mark.timeout(120)
def test_a_reload_with_a_broken_file_is_refused_and_all_goes_on(serving):
    right = serving.file.read_text()
    serving.file.write_text(f"{right}[smpt]\nport = [\n")
    try:
        serving.reload()
        line = serving.process.stderr.readline().decode()
        while "not restarted" not in line:
            assert line
            line = serving.process.stderr.readline().decode()
        assert "postroad.toml: not valid TOML" in line
        serving.greet()
        assert serving.is_silent()
        assert serving.process.poll() is None
    finally:
        serving.file.write_text(right)


@pytest.mark.sqlite_only
@pytest.mark.timeout(120)
def test_nobody_who_hands_in_mail_meets_a_closed_door_during_a_restart(serving):
    serving.reload()
    greeted = 0
    while serving.is_silent():
        # One who is just saying goodbye may be told that the server goes (RFC 5321 §3.8).
        with contextlib.suppress(smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
            serving.greet()
            greeted += 1
    assert serving.said.readline() == b"ready\n"
    assert greeted > 0
