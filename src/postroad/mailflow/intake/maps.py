"""Tells the MTA at once which addresses are lists' and where their mail goes: Postfix's tables, answered live.

Three tables of one listener (`[maps] listen`): `recipients` (address → OK), `transport` (address → where LMTP
listens) and `domains` (mail host → itself). One thread asks the database, so the event loop never waits for it.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, InterfaceError, connection

from postroad.community.lists.addresses import is_mail_host, resolve
from postroad.foundation.configuration import current
from postroad.foundation.sections import Listen
from postroad.mailflow.intake.socketmap import NOT_FOUND, NotSocketmap, Question, Questions, found, try_later

log = logging.getLogger("postroad.intake")

MOST_CLIENTS = 200
"""Clients at the same time; Postfix has one for each of its smtpd and trivial-rewrite processes."""
MOST_WAITING = 100
"""Questions of one client that wait for their answer; a real one waits for the first before it asks the second."""
IDLE_SECONDS = 300.0
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 — what is listened to is compared, not opened


def answer(question: Question, reached_at: str) -> bytes:
    """The reply to a question of a client that reached us at this address of ours."""
    try:
        return _answer(question, reached_at)
    except (DatabaseError, InterfaceError) as error:
        log.error("map %s not asked for %s: %s", question.map, question.key, error)
        connection.close()
        return try_later("the database is away")
    except Exception:
        log.exception("map %s not asked for %s", question.map, question.key)
        return try_later("something failed here")


def _answer(question: Question, reached_at: str) -> bytes:
    match question.map:
        case "recipients":
            return NOT_FOUND if resolve(question.key) is None else found("OK")
        case "transport":
            return NOT_FOUND if resolve(question.key) is None else found(transport(reached_at))
        case "domains":
            return found(question.key) if is_mail_host(question.key) else NOT_FOUND
    log.error("a map was asked for that is none: %s; there are domains, recipients, transport", question.map)
    return try_later("no such map; there are domains, recipients and transport")


def transport(reached_at: str = "127.0.0.1") -> str:
    """Where a list's mail goes, in Postfix's words; an LMTP listener on every address is met where we were."""
    listen: Listen = current().lmtp.listen
    host = reached_at if listen.host in EVERYWHERE else listen.host
    return f"lmtp:inet:[{host}]:{listen.port}"


class Maps:
    """The listener and what its clients share."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self._thread = ThreadPoolExecutor(1, "maps")
        self._server: asyncio.Server | None = None

    async def open(self, listen: Listen) -> None:
        """Begin to listen."""
        self._server = await asyncio.get_running_loop().create_server(lambda: Client(self), listen.host, listen.port)

    async def ask(self, question: Question, reached_at: str) -> bytes:
        """The reply, from the thread that has the database."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, answer, question, reached_at)

    def close(self) -> None:
        """Answer no more; Postfix then asks its clients to come back."""
        if self._server is not None:
            self._server.close()
        for client in list(self.clients):
            client.end()
        self._thread.submit(connection.close)
        self._thread.shutdown()


class Client(asyncio.Protocol):
    """One client: its questions are answered in their order."""

    def __init__(self, maps: Maps) -> None:
        self._maps = maps
        self._questions = Questions()
        self._waiting: asyncio.Queue[Question | None] = asyncio.Queue()
        self._work: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the client in, or end it when there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._maps.clients) >= MOST_CLIENTS:
            log.warning("more than %d clients of the maps; one was sent away", MOST_CLIENTS)
            transport.abort()
            return
        self._maps.clients.add(self)
        self._work = asyncio.get_running_loop().create_task(self._answer_all())
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._maps.clients.discard(self)
        if self._work is not None:
            self._work.cancel()
        if self._idle is not None:
            self._idle.cancel()

    def data_received(self, data: bytes) -> None:
        """Take questions in; a client that asks no questions is ended."""
        self._wait()
        try:
            for question in self._questions.receive(data):
                self._waiting.put_nowait(question)
        except NotSocketmap as error:
            log.warning("a client of the maps was ended: %s", error)
            self.end()
        if self._waiting.qsize() > MOST_WAITING:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The client asks no more, but waits for its answers, as Exim's readsocket does."""
        self._waiting.put_nowait(None)
        return True

    def end(self) -> None:
        """End the conversation."""
        self._transport.close()

    async def _answer_all(self) -> None:
        reached_at = str(self._transport.get_extra_info("sockname")[0])
        while (question := await self._waiting.get()) is not None:
            self._transport.write(await self._maps.ask(question, reached_at))
            if self._waiting.empty() and not self._transport.is_closing():
                self._transport.resume_reading()
        self.end()

    def _wait(self) -> None:
        """(Re)start the clock of a silent client."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.end)
