"""The listeners: sockets for `protocol.Session`, with limits on time, connections and waiting octets."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from postroad.mailflow.intake.events import (
    Closed,
    Event,
    MessageReceived,
    RecipientAsked,
    Reply,
    TlsRequested,
    Transaction,
)
from postroad.mailflow.intake.limits import Limits
from postroad.mailflow.intake.protocol import Mode, Session

log = logging.getLogger("postroad.intake")

_HIGH_WATER = 256 * 1024
_FAILED = Reply(451, "4.3.0", "Something failed here, please try again")


class Handler(Protocol):
    """Decides about recipients and keeps mails."""

    def is_known(self, address: str) -> bool:
        """Whether mail for this address is taken, as far as can be told at once."""

    async def recipient(self, address: str, mail_from: str) -> Reply | None:
        """None if mail for this address is taken, else the refusal."""

    async def message(self, transaction: Transaction) -> Sequence[Reply]:
        """One reply for each recipient, after the mail is kept."""


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._weight = 0
        self.session: Session | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or refuse when there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        listener = self._listener
        if self.session is not None:  # TLS is up on a session that exists.
            self.session.tls_started()
            return
        peer = transport.get_extra_info("peername")
        if len(listener.connections) >= listener.limits.connections:
            transport.write(Reply(421, "4.7.0", "Too many connections, please come back").line())
            transport.close()
            return
        listener.connections.add(self)
        self.session = Session(
            listener.limits, listener.mode, listener.hostname,
            tls_available=listener.ssl_context is not None, peer=str(peer[0]) if peer else "",
        )  # fmt: skip
        self._flush()
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; a mail being stored is stored all the same."""
        del exc
        self._listener.connections.discard(self)
        self._listener.gathered -= self._weight
        self._weight = 0
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Feed the session; stop reading while it waits for a decision and much has gathered."""
        session = self.session
        if session is None or self._transport is None:
            return
        self._arm()
        events = self._told_at_once(session, session.receive(data))
        self._weigh(session)
        self._flush()
        self._handle(events)
        if session.busy and session.buffered > _HIGH_WATER:
            self._transport.pause_reading()

    def _told_at_once(self, session: Session, events: list[Event]) -> list[Event]:
        """Take known recipients without a detour, so that who pipelines gets all replies in one packet."""
        while (
            events
            and isinstance(asked := events[-1], RecipientAsked)
            and self._listener.handler.is_known(asked.address)
        ):
            events = session.answer_recipient(None)
        return events

    def _weigh(self, session: Session) -> None:
        """Count what this client makes us hold; past what all may hold together, its mail is refused for now."""
        listener, weight = self._listener, session.gathered
        listener.gathered += weight - self._weight
        if listener.gathered > listener.limits.gathered:
            listener.gathered -= weight
            session.refuse_content()
            weight = session.gathered
            listener.gathered += weight
        self._weight = weight

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Closed):
                if self._transport is not None:
                    self._transport.close()
                return
            if isinstance(event, TlsRequested):
                self._start(self._upgrade())
            elif isinstance(event, RecipientAsked | MessageReceived):
                self._start(self._decide(event))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)
        self._listener.tasks.add(self._task)
        self._task.add_done_callback(self._listener.tasks.discard)

    async def _decide(self, event: RecipientAsked | MessageReceived) -> None:
        """Ask the handler until the session needs no decision; whatever fails is a temporary refusal."""
        session = self.session
        assert session is not None
        current: RecipientAsked | MessageReceived | None = event
        while current is not None:
            events = self._told_at_once(session, await self._ask(session, current))
            self._weigh(session)
            self._flush()
            current = next((e for e in events if isinstance(e, RecipientAsked | MessageReceived)), None)
            self._handle([e for e in events if not isinstance(e, RecipientAsked | MessageReceived)])
        if self._transport is not None and not self._transport.is_closing():
            self._arm()
            self._transport.resume_reading()

    async def _ask(self, session: Session, event: RecipientAsked | MessageReceived) -> list[Event]:
        handler = self._listener.handler
        try:
            if isinstance(event, RecipientAsked):
                return session.answer_recipient(await handler.recipient(event.address, event.mail_from))
            return session.answer_message(await handler.message(event.transaction))
        except Exception:
            log.exception("a decision failed; the client is asked to try again")
            if isinstance(event, RecipientAsked):
                return session.answer_recipient(_FAILED)
            return session.answer_message([_FAILED] * len(event.transaction.recipients))

    async def _upgrade(self) -> None:
        transport, context = self._transport, self._listener.ssl_context
        assert transport is not None
        assert context is not None
        try:
            self._transport = await asyncio.get_running_loop().start_tls(transport, self, context, server_side=True)
        except (OSError, ssl.SSLError) as error:
            log.info("STARTTLS failed: %s", error)
            transport.abort()
            return
        assert self.session is not None
        self.session.tls_started()

    def _flush(self) -> None:
        if self.session is not None and self._transport is not None and (data := self.session.outgoing()):
            self._transport.write(data)

    def _arm(self) -> None:
        """(Re)start the clock of a silent client (RFC 5321 §4.5.3.2.7)."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._deadline = now + self._listener.limits.command_seconds
        if self._timer is None:
            self._timer = loop.call_at(self._deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._transport is None or self.session is None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._deadline or self.session.busy:
            self._timer = loop.call_at(max(self._deadline, loop.time() + 1), self._tick)
            return
        self._transport.write(Reply(421, "4.4.2", "You said nothing for too long").line())
        self._transport.close()

    def shut_down(self) -> None:
        """End an idle client; one with a mail on its way in may finish."""
        if self.session is not None and not self.session.in_transaction and self._transport is not None:
            self.session.shut_down()
            self._flush()
            self._transport.close()


class Listener:
    """A listening socket and its clients."""

    def __init__(
        self, mode: Mode, limits: Limits, handler: Handler, hostname: str, ssl_context: ssl.SSLContext | None
    ) -> None:
        self.mode: Mode = mode
        self.limits = limits
        self.handler = handler
        self.hostname = hostname
        self.ssl_context = ssl_context
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.gathered = 0
        """Octets that all clients together make us hold."""
        self._servers: list[asyncio.Server] = []

    async def open(self, host: str, port: int, doors: Sequence[socket.socket] = ()) -> None:
        """Begin to listen, at sockets that are open already, where there are any."""
        create = asyncio.get_running_loop().create_server
        if not doors:
            self._servers.append(await create(lambda: Connection(self), host, port, backlog=512))
        for door in doors:
            self._servers.append(await create(lambda: Connection(self), sock=door, backlog=512))

    @property
    def port(self) -> int:
        """The port in use, where 0 was asked for."""
        return int(self._servers[0].sockets[0].getsockname()[1])

    def close(self) -> None:
        """Take no more clients and end idle ones."""
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.shut_down()

    async def wait_closed(self, seconds: float = 10) -> None:
        """Let mails that are on their way in arrive, for so many seconds."""
        end = asyncio.get_running_loop().time() + seconds
        while self.tasks and asyncio.get_running_loop().time() < end:
            await asyncio.wait(set(self.tasks), timeout=max(0.0, end - asyncio.get_running_loop().time()))
        for connection in list(self.connections):
            if connection._transport is not None:
                connection._transport.abort()


async def serve(
    host: str,
    port: int,
    mode: Mode,
    limits: Limits,
    handler: Handler,
    hostname: str,
    ssl_context: ssl.SSLContext | None = None,
    doors: Sequence[socket.socket] = (),
) -> Listener:
    """Listen for clients of this protocol; the caller closes what it gets."""
    listener = Listener(mode, limits, handler, hostname, ssl_context)
    await listener.open(host, port, doors)
    return listener
