"""One `postroad serve` for each home, also right after one was killed."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.sqlite_only

TAKE = """
import os, sys
from pathlib import Path
from postroad.foundation.errors import Conflict
from postroad.foundation.instance import Instance
import logging
logging.basicConfig(format="%(message)s")
try:
    held = Instance(Path(sys.argv[1]))
except Conflict as error:
    sys.exit(str(error))
print("taken", flush=True)
"""
"""Takes a home, or says why not."""


def start(home, then: str = "") -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", TAKE + then, home], text=True, **pipes)


def test_a_home_that_is_served_is_named_with_its_process(tmp_path):
    with start(tmp_path, "sys.stdin.read()") as serving:
        assert serving.stdout.readline() == "taken\n"
        with start(tmp_path) as second:
            assert second.communicate()[1] == f"{tmp_path} is served already, by process {serving.pid}\n"
        serving.stdin.close()


def test_after_a_kill_its_processes_are_waited_for(tmp_path):
    """The supervisor is gone, and a role that it had forked finishes what it has in hand."""
    with start(tmp_path, "os.fork() and os._exit(0)\nsys.stdin.read()") as killed:
        assert killed.stdout.readline() == "taken\n"
        killed.wait()
        with start(tmp_path) as next_one:
            assert next_one.stderr.readline() == f"process {killed.pid} was killed; waiting for its processes to end\n"
            killed.stdin.close()
            assert next_one.stdout.readline() == "taken\n"
