"""A few lines of SMTP or LMTP with a server, to see whether it is there and what it says; no mail is sent."""

import socket
import ssl
from typing import Self

TIMEOUT_SECONDS = 5.0
MOST_LINES = 100


class Dialogue:
    """One connection; an OSError ends it."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._socket = socket.create_connection((host, port), TIMEOUT_SECONDS)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname=host)
        self._file = self._socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def say(self, line: str) -> tuple[int, str]:
        """Send a command; code and text of the reply."""
        self._socket.sendall(f"{line}\r\n".encode())
        return self.reply()

    def reply(self) -> tuple[int, str]:
        """The next reply, of one line or several (RFC 5321 §4.2).

        Raises:
            OSError: the server went away or says something else.
        """
        lines: list[str] = []
        while len(lines) < MOST_LINES:
            line = self._file.readline(2000).decode("utf-8", "replace").rstrip("\r\n")
            if not line[:3].isdigit():
                raise OSError(f"no reply but {line[:80]!r}" if line else "the connection was closed")
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), "\n".join(lines)
        raise OSError("a reply without end")
