"""A news server's client: just what the gateway needs of RFC 3977, 4642 (STARTTLS) and 4643 (AUTHINFO).

Knows nothing of lists. Every wait has an end, every line and article a limit.
"""

import re
import socket
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

from postroad.foundation.sections import Nntp

LONGEST_LINE = 4096
LARGEST_ARTICLE = 33_554_432


class NewsAway(Exception):
    """The server cannot be reached, does not answer in time, or is not able to at the moment (4xx of RFC 3977 §3.2)."""


class NewsRefused(Exception):
    """The server's answer is no: `code` and its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}".strip())
        self.code = code


def _connected(server: Nntp) -> socket.socket:
    try:
        return socket.create_connection((server.host, server.port), timeout=server.timeout)
    except OSError as error:
        raise NewsAway(f"{server.host}:{server.port}: {error}") from error


@dataclass(frozen=True, slots=True)
class Group:
    """What GROUP says (RFC 3977 §6.1.1): the numbers of its first and last article."""

    first: int
    last: int


class NewsServer:
    """A connection to the news server, for use in a `with` block.

    Raises:
        NewsAway: anywhere; try again later.
        NewsRefused: the server says no.
    """

    def __init__(self, server: Nntp) -> None:
        self._server = server
        self._socket: socket.socket | None = None
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        server = self._server
        try:
            self._socket = _connected(server)
            if server.security == "tls":
                self._begin_tls()
            self._file = self._socket.makefile("rb")
            self._expect(self._answer(), 200, 201)
            if server.security == "starttls":
                self._expect(self._ask("STARTTLS"), 382)
                self._begin_tls()
                self._file = self._socket.makefile("rb")
            if server.user:
                code, text = self._ask(f"AUTHINFO USER {server.user}")
                if code == 381:
                    code, text = self._ask(f"AUTHINFO PASS {server.password}")
                self._expect((code, text), 281)
            self._ask("MODE READER")  # RFC 3977 §5.3; a server without it answers an error that hurts nothing.
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the conversation; the server needs no answer."""
        for resource in (self._file, self._socket):
            if resource is not None:
                try:
                    if resource is self._socket:
                        self._socket.sendall(b"QUIT\r\n")
                    resource.close()
                except OSError:
                    continue
        self._file = self._socket = None

    def group(self, name: str) -> Group:
        """Choose a newsgroup."""
        text = self._expect(self._ask(f"GROUP {name}"), 211)
        numbers = re.match(r"\d+ (\d+) (\d+)", text)
        if numbers is None:
            raise NewsAway(f"GROUP answered {text!r}")
        return Group(int(numbers[1]), int(numbers[2]))

    def article(self, number: int) -> bytes | None:
        """An article of the chosen group in CRLF lines; None when there is no such number (RFC 3977 §6.2.1)."""
        code, text = self._ask(f"ARTICLE {number}")
        if code in (423, 430):
            return None
        self._expect((code, text), 220)
        lines: list[bytes] = []
        size = 0
        while True:
            line = self._line(LARGEST_ARTICLE)
            if line == b".\r\n":
                break
            size += len(line)
            if size > LARGEST_ARTICLE:
                raise NewsAway(f"article {number} is larger than {LARGEST_ARTICLE} bytes")
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def post(self, article: bytes) -> None:
        """Hand in an article in CRLF lines (RFC 3977 §6.3.1)."""
        self._expect(self._ask("POST"), 340)
        stuffed = article.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        end = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
        self._expect(self._ask_bytes(stuffed + end), 240)

    def _begin_tls(self) -> None:
        assert self._socket is not None
        try:
            context = ssl.create_default_context()
            self._socket = context.wrap_socket(self._socket, server_hostname=self._server.host)
        except (OSError, ssl.SSLError) as error:
            raise NewsAway(f"{self._server.host}: TLS failed: {error}") from error

    def _ask(self, command: str) -> tuple[int, str]:
        if re.search(r"[\r\n\0]", command):
            raise NewsRefused(501, "a command must be one line")
        return self._ask_bytes(command.encode() + b"\r\n")

    def _ask_bytes(self, data: bytes) -> tuple[int, str]:
        assert self._socket is not None
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise NewsAway(f"{self._server.host}: {error}") from error
        return self._answer()

    def _answer(self) -> tuple[int, str]:
        line = self._line(LONGEST_LINE).decode("utf-8", "replace").strip()
        if not re.match(r"[1-5]\d\d\b", line):
            raise NewsAway(f"{self._server.host} answered {line[:80]!r}")
        return int(line[:3]), line[4:]

    def _line(self, limit: int) -> bytes:
        assert self._file is not None
        try:
            line = self._file.readline(limit + 1)
        except OSError as error:
            raise NewsAway(f"{self._server.host}: {error}") from error
        if not line.endswith(b"\n"):
            raise NewsAway(f"{self._server.host} broke off")
        return line if line.endswith(b"\r\n") else line[:-1] + b"\r\n"

    def _expect(self, answer: tuple[int, str], *codes: int) -> str:
        """The text of an answer that has one of these codes."""
        code, text = answer
        if code in codes:
            return text
        if code in (400, 403, 436):  # Service not available, internal fault, try again (RFC 3977 §3.2.1, §6.3.2).
            raise NewsAway(f"{self._server.host}: {code} {text}")
        raise NewsRefused(code, text)
