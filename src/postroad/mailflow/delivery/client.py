"""One SMTP connection to the relay: sockets, TLS and deadlines around the dialogues that know the protocol.

The pool opens connections and is their `Keeper`; `greeting.py` and `conversation.py` decide what is said.
"""

import asyncio
import ssl
from typing import Protocol, cast

from postroad.foundation.errors import TryLater
from postroad.mailflow.delivery.conversation import Conversation
from postroad.mailflow.delivery.greeting import UPGRADE, Dialogue, greet
from postroad.mailflow.delivery.relay import LOST, Copy, Outcome, Relay
from postroad.mailflow.delivery.replies import Replies
from postroad.mailflow.delivery.transaction import Transaction

__all__ = ["Connection", "Copy", "Keeper", "Outcome", "Relay"]

READ_SIZE = 32768
JOIN_LIMIT = 262144
"""Up to this many bytes go out in one write; above it, copying costs more than a second write."""


class Keeper(Protocol):
    """What a connection needs of the one that opened it."""

    def take(self) -> Transaction | None:
        """Give the next transaction, if there is one."""

    def opened(self, connection: "Connection") -> None:
        """The relay is ready for mail."""

    def settle(self, connection: "Connection") -> None:
        """Collect `outcomes`, `done` and `again` of the conversation."""

    def rest(self, connection: "Connection") -> None:
        """Nothing is under way on this connection any more."""

    def closed(self, connection: "Connection", why: str) -> None:
        """The connection is gone, for this reason (empty: in good order); settle what its conversation left."""


class Connection(asyncio.BufferedProtocol):
    """A session with the relay, from the TCP connection to its end; ends are told to the keeper exactly once."""

    def __init__(self, relay: Relay, keeper: Keeper, tls: ssl.SSLContext | None, idle_seconds: float) -> None:
        self.talk: Conversation | None = None
        self._relay = relay
        self._keeper = keeper
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._replies = Replies()
        self._dialogue: Dialogue = greet(relay)
        self._transport: asyncio.Transport | None = None
        self._upgrading: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._unwritten = 0
        self._over = False
        self.proven = False
        """Set by the keeper once the relay has dealt with a message on this connection."""

    async def open(self) -> None:
        """Connect; every end, also a failure here, is told to the keeper."""
        relay = self._relay
        direct = relay.security == "tls"
        try:
            async with asyncio.timeout(relay.connect_seconds * (2 if direct else 1)):
                await self._loop.create_connection(
                    lambda: self,
                    relay.host,
                    relay.port,
                    ssl=self._context() if direct else None,
                    server_hostname=relay.host if direct else None,
                    ssl_handshake_timeout=relay.connect_seconds if direct else None,
                )
        except TimeoutError:
            self._end(LOST, self._lost(f"could not be reached within {relay.connect_seconds:g} s"))
        except (OSError, ValueError) as error:
            self._end(LOST, self._lost(f"could not be reached: {error}"))

    def pump(self) -> None:
        """Begin a waiting transaction on this resting connection."""
        if self.talk is not None and not self._over:
            self._follow()

    def quit(self) -> None:
        """End a resting connection in good order; the reply to QUIT is not waited for."""
        if self._transport is not None and self.talk is not None and not self._over:
            self._transport.write(b"QUIT\r\n")
        self._end(LOST, "")

    def abort(self, why: str) -> None:
        """End the connection now, whatever is under way."""
        self._end(LOST, why)

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the greeting."""
        self._transport = cast("asyncio.Transport", transport)
        if self._over:
            self._transport.abort()
        else:
            next(self._dialogue)
            self._wait(self._relay.reply_seconds)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the buffer to read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Act on what was read, as a whole: one round of outcomes, one write."""
        data = bytes(self._buffer[:nbytes])
        if self._over:
            return
        if self.talk is None:
            self._greet(data)
        else:
            answered = self.talk.receive(data)
            self._follow(answered=answered)

    def eof_received(self) -> None:
        """The relay has closed."""
        self._end(LOST, self._lost("closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection broke, or we closed it."""
        self._end(LOST, self._lost(f"broke the connection ({exc})" if exc else "closed the connection"))

    # --- what to do next

    def _greet(self, data: bytes) -> None:
        try:
            for reply in self._replies.feed(data):
                command = self._dialogue.send(reply)
                if command is UPGRADE:
                    self._replies.discard()
                    self._upgrading = self._loop.create_task(self._upgrade())
                    return
                self._write([command])
            if self._replies.broken:
                self._end(LOST, self._lost(f"sent {self._replies.broken}"))
            else:
                self._wait(self._relay.reply_seconds)
        except TryLater as error:
            self._end(LOST, self._lost(str(error)))
        except StopIteration as stop:
            self.talk = Conversation(stop.value, self._replies, self._keeper.take)
            self._keeper.opened(self)
            self.pump()

    async def _upgrade(self) -> None:
        """Start TLS; what came in clear text behind the reply was thrown away (RFC 3207 §4.2)."""
        transport = cast("asyncio.Transport", self._transport)
        seconds = self._relay.connect_seconds
        self._wait(seconds * 2)
        try:
            secured = await self._loop.start_tls(
                transport,
                self,
                self._context(),
                server_hostname=self._relay.host,
                ssl_handshake_timeout=seconds,
            )
        except OSError as error:
            self._end(LOST, self._lost(f"does not manage TLS: {error}"))
            return
        if secured is not None and not self._over:
            self._transport = secured
            self._write([self._dialogue.send((0, b""))])
            self._wait(self._relay.reply_seconds)

    def _follow(self, *, answered: bool = False) -> None:
        """After every turn of the conversation: hand over outcomes first, then begin more, write, and wait."""
        talk = cast("Conversation", self.talk)
        for _ in range(2):
            if talk.outcomes or talk.done or talk.again:
                self._keeper.settle(self)
                if self._over:
                    return
            talk.pump()
        if talk.ended is not None:
            self._end(*talk.ended)
        elif talk.idle:
            self._wait(self._idle_seconds)
            self._keeper.rest(self)
        else:
            if talk.out:
                out, talk.out = talk.out, []
                self._write(out)
            elif not answered:
                return
            self._wait(self._relay.data_seconds if talk.awaits_content else self._relay.reply_seconds)

    def _write(self, pieces: list[bytes]) -> None:
        transport = cast("asyncio.Transport", self._transport)
        if len(pieces) == 1:
            transport.write(pieces[0])
        elif sum(map(len, pieces)) <= JOIN_LIMIT:
            transport.write(b"".join(pieces))
        else:
            for piece in pieces:
                transport.write(piece)
        self._unwritten = transport.get_write_buffer_size()

    def _wait(self, seconds: float) -> None:
        """Set the deadline; the timer follows only when it would be late, since most deadlines are never met."""
        self._due = due = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._over:
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._on_timer)
            return
        talk, relay = self.talk, self._relay
        unwritten = self._transport.get_write_buffer_size() if self._transport is not None else 0
        taken, self._unwritten = unwritten != self._unwritten, unwritten
        if talk is None:
            self._end(LOST, self._lost(f"gave no answer within {relay.reply_seconds:g} s"))
        elif talk.idle:
            self.quit()
        elif talk.awaits_content:
            if taken:
                self._wait(relay.data_seconds)
            else:
                self._end(LOST, self._lost(f"gave no answer within {relay.data_seconds:g} s"), waited_in_vain=True)
        else:
            self._end(LOST, self._lost(f"gave no answer within {relay.reply_seconds:g} s"), waited_in_vain=True)

    def _end(self, code: int, why: str, *, waited_in_vain: bool = False) -> None:
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            if why:
                self._transport.abort()
            else:
                self._transport.close()
        if self.talk is not None:
            self.talk.lost(code, why, waited_in_vain=waited_in_vain)
        self._keeper.closed(self, why)

    def _lost(self, what: str) -> str:
        relay = self._relay
        return f"the mail relay {relay.host}:{relay.port} {what}"

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls
