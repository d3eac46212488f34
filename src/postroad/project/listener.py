"""An HTTP listener in threads of this process: Granian's WSGI server without the processes it usually makes for itself.

Granian reads and writes sockets in a thread of its own, outside the interpreter, and calls the application in others: a
request costs no turn of an event loop. What is used of it beyond its public face stands here and nowhere else.
"""

import contextlib
import socket
import time
from typing import Any
from wsgiref.types import WSGIApplication

from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.server.mt import MTServer

from postroad.foundation.sections import Listen

IDLE_SECONDS = 600
"""After which a thread that answers nothing ends, and its database connection with it; Granian allows no more."""


class Listener:
    """One address, its application, and the threads that call it."""

    def __init__(self, application: WSGIApplication, listen: Listen, threads: int) -> None:
        """Bind the address.

        Raises:
            RuntimeError: it is taken.
        """
        self._listen = listen
        server: Any = MTServer(
            "postroad", address=listen.host, port=listen.port, interface=Interfaces.WSGI, http=HTTPModes.http1,
            runtime_mode=RuntimeModes.st, blocking_threads=threads, blocking_threads_idle_timeout=IDLE_SECONDS,
            websockets=False, backlog=1024, log_enabled=False,
        )  # fmt: skip
        try:
            server._init_shared_socket()
        except RuntimeError:
            raise RuntimeError(f"cannot listen on {listen}") from None
        self._worker: Any = server._spawn_worker(0, MTServer._spawn_wsgi_worker, application)

    def start(self) -> None:
        """Begin to answer; return when the address takes connections.

        Raises:
            RuntimeError: it ended instead.
        """
        self._worker.inner.daemon = True  # A process that fails elsewhere must end.
        self._worker.start()
        while self._worker.inner.is_alive():
            with contextlib.suppress(OSError):
                socket.create_connection((self._listen.host, self._listen.port)).close()
                return
            time.sleep(0.005)
        raise RuntimeError(f"cannot listen on {self._listen}")

    def wait(self) -> None:
        """Return when it has ended, for whatever reason."""
        self._worker.inner.join()

    def stop(self, seconds: float) -> None:
        """Take no more requests; return when those begun are answered, or after so many seconds."""
        if self._worker.inner.is_alive():
            self._worker.terminate()
            self._worker.inner.join(seconds)
