"""Starts one process for each role and keeps them running: `mail`, `delivery`, `http`.

Django is loaded once, then forked, so that the processes share its memory. The parent holds no database connection
and no thread. A role that dies is started again; what it had claimed comes due at once.
"""

import contextlib
import fcntl
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from postroad.foundation.configuration import current
from postroad.foundation.errors import Conflict, PostroadError, last_line
from postroad.foundation.instance import STOP_SECONDS, wait_for

log = logging.getLogger("postroad.supervisor")

Role = Callable[[Callable[[], None]], None]
"""Runs until SIGTERM; calls its argument once, when it is ready."""

HEALTHY_SECONDS = 60.0
"""A role that lived so long is not one that keeps dying."""
DEATHS_BORNE = 5
"""So many deaths in a row, and the role is started again at once; after that, pauses grow."""
SLOWEST_RESTART = 30.0
"""Seconds between two starts of a role that keeps dying."""
RESTART = -1
"""What `run` returns after SIGHUP: the caller begins anew."""


@dataclass(slots=True)
class _Child:
    role: str
    pid: int
    ready: int
    started: float
    deaths: int = 0


class Supervisor:
    """Runs the roles of this host until SIGTERM or SIGINT."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._roles = roles
        self._children: dict[int, _Child] = {}
        self._stopping = False
        self._restarting = False
        self._waiting_to_start: dict[str, tuple[float, int]] = {}

    def run(self) -> int:
        """Start everything, say `ready` on standard output, and watch; the exit code, or RESTART."""
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._restart)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        connections.close_all()
        for name in self._roles:
            self._start(name, 0)
        if not self._await_ready(read_end):
            self._end_all(signal.SIGTERM)
            self._reap_all()
            return 0 if self._stopping else 3
        print("ready", flush=True)  # noqa: T201 — the contract of `postroad serve`
        notify_service_manager("READY=1")
        while not self._stopping:
            self._wait(read_end, self._next_start())
            self._reap()
            self._start_waiting()
            if self._restarting:
                self._restarting = would_start() and self._restarting
                self._stopping = self._stopping or self._restarting
        notify_service_manager("RELOADING=1" if self._restarting else "STOPPING=1")
        self._end_all(signal.SIGTERM)
        self._reap_all()
        return RESTART if self._restarting else 0

    def _stop(self, *_: object) -> None:
        self._stopping, self._restarting = True, False

    def _restart(self, *_: object) -> None:
        self._restarting = not self._stopping

    def _start(self, name: str, deaths: int) -> None:
        ready_read, ready_write = os.pipe()
        supervisor = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(ready_read)
            _become(name, self._roles[name], ready_write, supervisor)
        os.close(ready_write)
        self._children[pid] = _Child(name, pid, ready_read, time.monotonic(), deaths)

    def _await_ready(self, signals: int) -> bool:
        """Whether every role said it is ready before one of them died or a stop was asked for."""
        waiting = {child.ready for child in self._children.values()}
        while waiting and not self._stopping:
            readable, _, _ = select.select([*waiting, signals], [], [])
            for descriptor in waiting & set(readable):
                waiting.discard(descriptor)
                if os.read(descriptor, 1) != b"1":
                    role = next(c.role for c in self._children.values() if c.ready == descriptor)
                    log.error("%s could not start; the lines above say why", role)
                    return False
            if signals in readable:
                os.read(signals, 64)
        return not self._stopping

    def _wait(self, signals: int, timeout: float | None) -> None:
        readable, _, _ = select.select([signals], [], [], timeout)
        if readable:
            os.read(signals, 64)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is None or self._stopping:
                continue
            os.close(child.ready)
            lived = time.monotonic() - child.started
            deaths = 0 if lived > HEALTHY_SECONDS else child.deaths + 1
            pause = 0.0 if deaths <= DEATHS_BORNE else min(SLOWEST_RESTART, 2.0 ** (deaths - DEATHS_BORNE))
            log.error("%s (process %d) ended with %s; starting it again in %.1f s", child.role, pid, status, pause)
            self._waiting_to_start[child.role] = (time.monotonic() + pause, deaths)

    def _next_start(self) -> float | None:
        """Seconds until a dead role is due again; None waits for a signal."""
        if not self._waiting_to_start:
            return None
        return max(0.0, min(at for at, _ in self._waiting_to_start.values()) - time.monotonic())

    def _start_waiting(self) -> None:
        for role, (at, deaths) in list(self._waiting_to_start.items()):
            if at <= time.monotonic() and not self._stopping:
                del self._waiting_to_start[role]
                self._start(role, deaths)

    def _end_all(self, number: int) -> None:
        for pid in self._children:
            os.kill(pid, number)

    def _reap_all(self) -> None:
        end = time.monotonic() + STOP_SECONDS
        while self._children:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid:
                self._children.pop(pid, None)
            elif time.monotonic() > end:
                log.warning("killing what did not stop: %s", ", ".join(c.role for c in self._children.values()))
                self._end_all(signal.SIGKILL)
                end = time.monotonic() + STOP_SECONDS
            else:
                signal.sigtimedwait([signal.SIGCHLD], 0.1)


def _become(name: str, role: Role, ready: int, supervisor: int) -> None:
    """In the child: run the role and leave, whatever happens, without returning into the parent's code."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    _show_name(name)
    _die_with(supervisor)
    code = 3
    try:
        _hold_role(name)
        role(lambda: _say_ready(ready))
        code = 0
    except KeyboardInterrupt:
        code = 0
    except Exception as error:
        log.error("%s: %s", name, error, exc_info=not isinstance(error, OSError | PostroadError))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _show_name(name: str) -> None:
    """Tell the processes apart in `ps` and `top`, where the system can (Linux keeps 15 letters)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(f"{name}.postroad"[:15], encoding="ascii")


def _say_ready(pipe: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # The supervisor was killed; its death is about to end us too.
        os.write(pipe, b"1")


def _hold_role(name: str) -> None:
    """Be the only process of this role on this home, until the end of the process.

    After a killed supervisor its processes may still be finishing what they have in hand; that is waited for, since
    two deliveries of one home would send twice.

    Raises:
        Conflict: the other one does not end.
    """
    path = current().home / "run" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.warning("%s: waiting for an earlier process of this home to end", name)
        if not wait_for(lock, STOP_SECONDS + 5):
            raise Conflict("another `postroad serve` of this home is running; stop it first") from None


def _die_with(supervisor: int) -> None:
    """Ask Linux for a SIGTERM when the supervisor dies, so that a killed site leaves no process behind."""
    import ctypes

    try:
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    except (
        OSError,
        AttributeError,
    ):  # Another system than Linux: a killed supervisor's processes must be ended by hand.
        return
    if os.getppid() != supervisor:  # It died before we had asked.
        os._exit(0)


_LOAD = """
import pathlib, sys
from postroad.foundation import configuration
configuration.load(pathlib.Path(sys.argv[1]))
"""


def would_start() -> bool:
    """Whether the program, as it is installed now, takes postroad.toml as it is now; a site that serves goes on if not.

    Seen in practice: a slip of the pen, and a reload in the middle of the day.
    """
    told = subprocess.run(  # noqa: S603 — our own interpreter
        [sys.executable, "-c", _LOAD, current().home], stderr=subprocess.PIPE, text=True, check=False
    )  # fmt: skip
    if told.returncode:
        log.error("not restarted, all goes on as before: %s", last_line(told.stderr))
    return told.returncode == 0


def notify_service_manager(state: str) -> None:
    """Tell systemd, when it started us (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect("\0" + address[1:] if address.startswith("@") else address)
            sender.send(state.encode())


def chosen(roles: Mapping[str, Role], names: Sequence[str]) -> Mapping[str, Role]:
    """The roles of these names, all when none is named."""
    return {name: role for name, role in roles.items() if not names or name in names}
