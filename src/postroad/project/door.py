"""The sockets that mail comes in by, kept open while `serve` becomes a newer release.

They are opened before the roles begin and stay this process's. Whoever connects while nobody takes calls waits in the
system's queue for some seconds, and is not turned away.
"""

import os
import socket
from collections.abc import Sequence

from postroad.foundation.sections import Listen

_VARIABLE = "POSTROAD_OPEN_DOOR"
"""In the environment of the program that takes over: the address, and the numbers of its sockets."""
_WAITING = 512
"""Clients that may wait; as many as the listener itself allows."""


def open_door(listen: Listen) -> list[socket.socket]:
    """Sockets that listen there: those that were handed on, else new ones; none if it cannot be listened there.

    Why not, the role finds out that listens itself then.
    """
    address, _, numbers = os.environ.pop(_VARIABLE, "").partition("=")
    kept = [socket.socket(fileno=int(number)) for number in numbers.split(",") if number]
    if kept and address == str(listen):
        return kept
    close(kept)
    try:
        return _bound(listen)
    except OSError:
        return []


def _bound(listen: Listen) -> list[socket.socket]:
    flags, made = socket.AI_PASSIVE, list[socket.socket]()
    found = socket.getaddrinfo(listen.host or None, listen.port, type=socket.SOCK_STREAM, flags=flags)
    for family, _, _, _, address in dict.fromkeys(found):
        door = socket.create_server(address, family=family, backlog=_WAITING)
        door.setblocking(False)
        # Clients inherit it. Without it a reply waits for 40 ms (RFC 896 meets RFC 1122 §4.2.3.2); asyncio only sets it
        # where a socket's protocol is named.
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.append(door)
    return made


def hand_on(listen: Listen, doors: Sequence[socket.socket]) -> None:
    """Let the program that takes this process over have them."""
    for door in doors:
        door.set_inheritable(True)
    if doors:
        os.environ[_VARIABLE] = f"{listen}={','.join(str(door.fileno()) for door in doors)}"


def close(doors: Sequence[socket.socket]) -> None:
    """Turn clients away from now on."""
    for door in doors:
        door.close()
