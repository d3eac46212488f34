"""An SMTP server that takes everything (or what its `judge` lets through) and remembers every envelope."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    at: float
    """When the sink had all of it, by time.monotonic()."""


class Sink:
    """Runs in a thread of its own, so that it outlives whatever the test kills."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.judge: Callable[[str, str], str] = lambda verb, argument: ""
        """Verb (MAIL, RCPT, DATA, DOT) and its argument → a reply, or "" for a friendly one."""
        self.port = 0
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink")
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(lambda: _Session(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def take(self, mail: Mail) -> None:
        with self._changed:
            self.mails.append(mail)
            self._changed.notify_all()

    def wait_for(self, number: int, seconds: float = 20) -> list[Mail]:
        """The mails, as soon as there are `number` of them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.mails) >= number, seconds), (
                f"{len(self.mails)} of {number} mails came within {seconds:g} s"
            )
            return list(self.mails)

    def copies(self, header: bytes) -> Counter[tuple[bytes, str]]:
        """How many copies each recipient has of each mail, told apart by the value of a header field."""
        counted: Counter[tuple[bytes, str]] = Counter()
        for mail in list(self.mails):
            name = value_of(mail.content, header)
            for recipient in mail.recipients:
                counted[name, recipient] += 1
        return counted


def value_of(content: bytes, header: bytes) -> bytes:
    """The value of a header field that stands on one line; empty when there is none."""
    head = content.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        if line.lower().startswith(header.lower() + b":"):
            return line.partition(b":")[2].strip()
    return b""


class _Session(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.buffer = b""
        self.content: bytes | None = None
        self.sender = ""
        self.recipients: list[str] = []

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            if self.content is not None:
                end = self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    return
                content, self.buffer = self.buffer[: end + 2], self.buffer[end + 5 :]
                self.content = None
                self._end(content.replace(b"\r\n..", b"\r\n."))
                continue
            line, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                return
            self.buffer = rest
            self._command(line.decode())

    def _command(self, line: str) -> None:
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        reply = self.sink.judge(verb, argument) if verb in ("MAIL", "RCPT", "DATA") else ""
        if verb in ("EHLO", "LHLO"):
            reply = "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE"
        elif verb == "MAIL":
            self.sender, self.recipients = argument.partition("<")[2].partition(">")[0], []
        elif verb == "RCPT" and not reply.startswith(("4", "5")):
            self.recipients.append(argument.partition("<")[2].partition(">")[0])
        elif verb == "DATA" and not reply:
            self.content = b""
            reply = "354 go on"
        self.transport.write(f"{reply or '250 2.0.0 ok'}\r\n".encode())
        if verb == "QUIT":
            self.transport.close()

    def _end(self, content: bytes) -> None:
        reply = self.sink.judge("DOT", self.sender)
        if not reply.startswith(("4", "5")):
            self.sink.take(Mail(self.sender, tuple(self.recipients), content, time.monotonic()))
        self.transport.write(f"{reply or '250 2.0.0 kept'}\r\n".encode())
