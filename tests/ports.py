"""Free ports for the servers of tests."""

import contextlib
import random
import socket


def free_port() -> int:
    """A port nobody listens on, below those the system gives to clients, which would take it before we do."""
    while True:
        port = random.randint(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
