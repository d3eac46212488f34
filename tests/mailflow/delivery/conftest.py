"""A relay that speaks from a script: real sockets on 127.0.0.1, faults at any stage."""

import asyncio
import contextlib
import sqlite3
import ssl
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from django.db import connection

from postroad.mailflow.delivery.client import Relay

DROP = "drop"
"""Close the connection instead of answering."""
SILENT = "silent"
"""Never answer."""
KEEP_AND_DROP = "keep and drop"
"""At DOT: take the message, then close without an answer."""

EXTENSIONS = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8")
DEFAULTS = {"CONNECT": "220 ready", "DATA": "354 go on", "STARTTLS": "220 go", "AUTH": "235 welcome", "QUIT": "221 bye"}

Script = Callable[[str, int, str], str | bytes | None]
"""Verb, how many of this verb came before, line -> reply, one of the words above, or None for a friendly reply."""


class ScriptedRelay:
    """An SMTP server whose every reply the test decides."""

    def __init__(
        self,
        script: Script = lambda verb, number, line: None,
        extensions: tuple[str, ...] = EXTENSIONS,
        tls: ssl.SSLContext | None = None,
        direct_tls: bool = False,
    ) -> None:
        self.script = script
        self.extensions = extensions
        self.tls = tls
        self.direct_tls = direct_tls
        self.lines: list[str] = []
        self.messages: list[tuple[str, list[str], bytes]] = []
        self.sessions = 0
        self.open = 0
        self.most_open = 0
        self.spoke_early = False
        self.behind_message: list[bytes] = []
        self.counts: Counter[str] = Counter()
        self.drag = 0.0
        """Seconds for every 300 lines of content: a slow line."""
        self.reply_drag = 0.0
        """Seconds before every reply to RCPT."""
        self.slow_domain = ""
        """If there is one, only recipients of this domain are answered so slowly."""
        self.forgetful = False
        """Takes recipients after it refused the sender."""
        self.ended = asyncio.Event()
        self.asked: dict[str, asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def listen(self, port: int = 0) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        context = self.tls if self.direct_tls else None
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", port, ssl=context, limit=1 << 16)
        self.port: int = self.server.sockets[0].getsockname()[1]

    def relay(self, **settings: object) -> Relay:
        return Relay("127.0.0.1", self.port, **{"reply_seconds": 20, "data_seconds": 20, **settings})  # type: ignore[arg-type]

    def event(self, verb: str) -> asyncio.Event:
        """Set as soon as the verb was seen."""
        return self.asked.setdefault(verb, asyncio.Event())

    def seen(self, verb: str) -> int:
        return sum(line.upper().startswith(verb) for line in self.lines)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.sessions += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self.open -= 1
            self.tasks.discard(task)
            writer.transport.abort()
            self.ended.set()

    async def _answer(self, writer: asyncio.StreamWriter, verb: str, line: str = "") -> str | None:
        """Answer by the script; the code's first digit, or None to end the session."""
        number = self.counts[verb]
        self.counts[verb] += 1
        self.event(verb).set()
        reply = self.script(verb, number, line)
        if reply == SILENT:
            await asyncio.Event().wait()
        if reply in (DROP, KEEP_AND_DROP):
            return None
        if reply is None:
            if verb == "EHLO":
                reply = "\r\n".join(["250-relay", *(f"250-{word}" for word in self.extensions), "250 HELP"])
            else:
                reply = DEFAULTS.get(verb, "250 2.0.0 ok")
        raw = reply if isinstance(reply, bytes) else reply.encode() + b"\r\n"
        writer.write(raw)
        await writer.drain()
        # Nothing: the test has sent this reply together with an earlier one.
        return raw[:1].decode("ascii", "replace") or "3"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await self._answer(writer, "CONNECT") is None:
            return
        sender, recipients = "", []
        while line := (await reader.readline()).decode():
            self.lines.append(line.rstrip("\r\n"))
            verb = line.split()[0].upper()
            if verb != "QUIT" and "PIPELINING" not in self.extensions and reader._buffer:
                self.spoke_early = True
            if verb == "RCPT" and not sender and not self.forgetful:
                writer.write(b"503 5.5.1 no sender\r\n")
                continue
            if verb == "MAIL" and sender:
                writer.write(b"503 5.5.1 nested MAIL\r\n")
                continue
            if verb == "RCPT" and self.reply_drag and self.slow_domain in line:
                await asyncio.sleep(self.reply_drag)
            answer = await self._answer(writer, verb, line)
            if answer is None or verb == "QUIT":
                return
            good = answer in "23"
            if verb == "MAIL":
                sender, recipients = line.split("<")[1].split(">")[0] if good else "", []
            elif verb == "RCPT" and good:
                recipients.append(line.split("<")[1].split(">")[0])
            elif verb == "DATA" and answer == "3":
                if not await self._take_content(reader, writer, sender, recipients):
                    return
                sender = ""
            elif verb == "RSET":
                sender = ""
            elif verb == "STARTTLS" and good:
                await writer.start_tls(self.tls)

    async def _take_content(self, reader, writer, sender: str, recipients: list[str]) -> bool:
        content = bytearray()
        lines = 0
        while (line := await reader.readline()) != b".\r\n":
            if not line.endswith(b"\r\n"):
                return False
            content += line[1:] if line.startswith(b".") else line
            lines += 1
            if self.drag and lines % 300 == 0:
                await asyncio.sleep(self.drag)
            if self.script("BODY", len(content), "") == DROP:
                return False
        self.behind_message.append(bytes(reader._buffer))
        if "PIPELINING" not in self.extensions and reader._buffer:
            self.spoke_early = True
        number = self.counts["DOT"]
        reply = self.script("DOT", number, sender)
        if reply == KEEP_AND_DROP or reply is None or str(reply).startswith("2"):
            self.messages.append((sender, recipients, bytes(content)))
        return await self._answer(writer, "DOT", sender) is not None


@pytest.fixture
def scripted() -> type[ScriptedRelay]:
    return ScriptedRelay


@pytest.fixture
def elsewhere() -> Callable[..., None]:
    """Runs a statement as another host would: over a connection of its own, committed at once."""
    return _elsewhere


def _elsewhere(statement: str, database: str = "") -> None:
    own = connection.settings_dict
    if connection.vendor == "sqlite":
        with contextlib.closing(sqlite3.connect(own["NAME"], timeout=20, isolation_level=None)) as other:
            other.execute(statement)
        return
    import psycopg

    where = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    with psycopg.connect(dbname=database or own["NAME"], autocommit=True, **where) as other:
        other.execute(statement)


class Outage:
    """A database that is away: on PostgreSQL nobody is let in any more; of SQLite's file the table is gone."""

    def __init__(self) -> None:
        self.began = self.is_on = False

    def begin(self) -> None:
        self.began = True
        if connection.vendor == "sqlite":
            _elsewhere("ALTER TABLE delivery_chunk RENAME TO delivery_chunk_away")
        else:
            name = connection.settings_dict["NAME"]
            _elsewhere(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', "postgres")
            _elsewhere(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", "postgres")
        self.is_on = True

    def end(self) -> None:
        if connection.vendor == "sqlite":
            _elsewhere("ALTER TABLE delivery_chunk_away RENAME TO delivery_chunk")
        else:
            name = connection.settings_dict["NAME"]
            _elsewhere(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true', "postgres")
        self.is_on = False


@pytest.fixture
def outage() -> Iterator[Outage]:
    made = Outage()
    yield made
    if made.is_on:
        made.end()
    connection.close()  # It may have been thrown out too.


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)
