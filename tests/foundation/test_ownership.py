"""What root makes in the home of a service's user is that user's afterwards, and nothing else is."""

import os
import socket
import subprocess
import sys

import pytest

from postroad.foundation.ownership import hand_over

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
NOBODY = 65_534


def test_what_is_root_s_in_another_s_home_is_given_to_its_owner_and_no_file_of_the_system_is(tmp_path):
    home, elsewhere = tmp_path / "home", tmp_path / "shadow"
    (home / "run").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "inside").touch()
    for name in ("secret.key", "run/upgrade.lock"):
        (home / name).touch(0o600)
    (home / "link").symlink_to(elsewhere)
    (home / "second-name").hardlink_to(elsewhere / "inside")
    os.mkfifo(home / "pipe")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(home / "run/s"))
        hand_over(home)
        assert (home / "secret.key").stat().st_uid == 0  # Root's own home stays root's.
        os.chown(home, NOBODY, NOBODY)
        hand_over(home)
    given = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.lstat().st_uid == NOBODY}
    assert given == {"run", "run/upgrade.lock", "secret.key"}
    assert elsewhere.stat().st_uid == (elsewhere / "inside").stat().st_uid == 0


def test_a_command_of_root_s_looks_through_a_home_once_and_finds_what_a_killed_one_left(tmp_path):
    """A home may have a million files of mails."""
    (tmp_path / "postroad.toml").touch()
    (tmp_path / "left").touch()
    os.chown(tmp_path, NOBODY, NOBODY)
    program = (
        "import os; from postroad.foundation import ownership; from postroad.project.cli import main\n"
        "looked, walk = [], os.fwalk\n"
        "ownership.os.fwalk = lambda *given: (looked.append(1), walk(*given))[1]\n"
        "try: main()\n"
        "finally: print(len(looked), 'times')"
    )
    words = ["trace", "--home", str(tmp_path), "one@example.org"]  # There is no such mail, and no table.

    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "1 times", done.stderr
    assert (tmp_path / "left").stat().st_uid == NOBODY
