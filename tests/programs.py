"""Runs our programs as an administrator does, each in a process of its own, without waiting for Python's imports.

A process is forked from one that has imported what all of them import and knows no site yet, so what runs is the same
as if the program had been called, but for those imports: two thirds of the time of a short command.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path

import django.conf
import django.db

IMPORTED = (
    "click", "psycopg", "django.core.management", "django.db.models", "django.db.migrations.executor",
    "django.db.backends.sqlite3.base", "django.db.backends.postgresql.base", "django.forms", "django.template.loader",
    "django.template.backends.django", "django.urls", "django.http", "django.views.generic", "django.views.debug",
    "django.contrib.auth.hashers", "django.contrib.staticfiles.finders", "django.test.signals", "django.core.mail",
    "django.core.cache", "django.utils.translation.trans_real", "postroad.foundation.configuration",
    "postroad.foundation.message.addresses", "postroad.foundation.message.encoded_words", "postroad.project.cli",
    "fido2.server", "postroad.foundation.authentication.author", "postroad.foundation.authentication.signing",
    "postroad.foundation.rest.unchanged", "postroad.mailflow.archive.render", "postroad.mailflow.archive.weaving",
    "postroad.mailflow.bounces.reports", "postroad.mailflow.delivery.pool", "postroad.mailflow.intake.events",
    "postroad.upgrade.leaving.restore", "postroad.upgrade.mailman3.messages",
)  # fmt: skip
"""What needs no settings."""
SET_UP = """
import os
from pathlib import Path
from postroad.foundation import configuration
configuration.create(Path(os.environ["POSTROAD_HOME"]))
os.environ["DJANGO_SETTINGS_MODULE"] = "postroad.project.settings"
import django
django.setup()
"""
"""What Python that works in a site, of `POSTROAD_HOME`, begins with."""
MAKE_TABLES = """
from postroad.project.commands.serve import prepare_database
prepare_database()
"""
BIN = Path(sys.executable).parent
_parent: tuple[subprocess.Popen[bytes], socket.socket] | None = None


def run(
    command: Sequence[object],
    stdin: str = "",
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
    timeout: float = 120,
    killed_after: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one of our programs, or `python -c CODE`, by name or path, and give what it printed.

    One that still runs after `killed_after` seconds is killed with -9.

    Raises:
        TimeoutError: it did not end within `timeout` seconds.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        call = {
            "words": words, "environment": dict(environment), "folder": str(folder or Path.cwd()),
            "killed_after": killed_after,
        }  # fmt: skip
        code = _call(call, [given.fileno(), out.fileno(), err.fileno()], timeout)
        printed = []
        for file in (out, err):
            file.seek(0)
            printed.append(file.read().decode(errors="replace"))
    return subprocess.CompletedProcess(words, code, *printed)


def _call(call: dict[str, object], files: list[int], timeout: float) -> int:
    global _parent
    if _parent is None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            arguments = [sys.executable, __file__, str(theirs.fileno())]
            _parent = subprocess.Popen(arguments, pass_fds=[theirs.fileno()]), ours
        atexit.register(_end)
    _, door = _parent
    door.settimeout(timeout)
    socket.send_fds(door, [json.dumps(call).encode()], files)
    try:
        return int(door.recv(100))
    except TimeoutError:
        _end()
        raise


def _end() -> None:
    """Nobody is left: what still runs is killed."""
    global _parent
    if _parent is not None:
        process, door = _parent
        _parent = None
        door.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def _serve(door: socket.socket) -> None:
    """Fork a process for each call, and tell its exit code, until the door is closed."""
    os.setpgid(0, 0)
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # What all share is not looked through for garbage in each of them.
    while True:
        asked, files, _, _ = socket.recv_fds(door, 1 << 20, 3)
        if not asked:
            return
        call = json.loads(asked)
        child = os.fork()
        if child == 0:
            door.close()
            _become(call, files)
        for file in files:
            os.close(file)
        if call["killed_after"] is not None:
            _kill(child, call["killed_after"])
        _, status = os.waitpid(child, 0)
        door.send(str(os.waitstatus_to_exitcode(status)).encode())


def _kill(child: int, seconds: float) -> None:
    """End a process that has not ended by itself in so many seconds."""
    ended = os.pidfd_open(child)
    if not select.select([ended], [], [], seconds)[0]:
        os.kill(child, signal.SIGKILL)
    os.close(ended)


def _become(call: dict[str, object], files: list[int]) -> None:
    """Be the program that was called, and leave as it leaves, but for taking Python apart: a quarter of a short command."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    words = call["words"]
    os.environ.clear()
    os.environ.update(call["environment"])
    os.chdir(call["folder"])
    sys.argv = [str(BIN / words[0]), *words[1:]]
    program = Path(words[0]).name
    try:
        if program.startswith("python"):
            exec(compile(words[2], "<string>", "exec"), {"__name__": "__main__"})
            sys.exit()
        (found,) = (script for script in entry_points(group="console_scripts") if script.name == program)
        sys.exit(found.load()())
    except SystemExit as left:
        if isinstance(left.code, str):
            raise
        _leave(left.code or 0)


def _leave(code: int) -> None:
    """End without taking Python apart; SQLite's log goes into its file when that is closed."""
    threading._shutdown()
    atexit._run_exitfuncs()
    if django.conf.settings.configured:
        django.db.connections.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    del sys.path[0]  # The folder of the tests, which no program knows.
    with socket.socket(fileno=int(sys.argv[1])) as _door:
        _serve(_door)
