"""LMTP and SMTP as a server speaks them, without a socket: octets in, replies and events out.

RFC 2033, 5321, 2920 (PIPELINING), 3030 (CHUNKING), 6531 (SMTPUTF8), 1870 (SIZE), 2034 (enhanced codes), 3207
(STARTTLS), 3461 (its parameters are understood). Where the caller must decide, an event is given out and the input
behind it waits for the answer, so replies always come in the order of the commands.
"""

import re
from collections import deque
from collections.abc import Sequence
from typing import Literal

from postroad.mailflow.intake import paths
from postroad.mailflow.intake.content import Content
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

Mode = Literal["lmtp", "smtp"]


OK = Reply(250, "2.0.0", "OK")
_TEXTS = {
    "size": Reply(552, "5.3.4", "The mail is larger than this server takes"),
    "bare": Reply(550, "5.6.11", "A line of the mail ends in a bare CR or LF; send CR LF"),
    "line": Reply(550, "5.6.0", "A line of the mail is too long"),
    "crowded": Reply(452, "4.3.1", "Too much mail is coming in at the same time, please try again"),
}


class Session:
    """One client's conversation."""

    def __init__(
        self, limits: Limits, mode: Mode, hostname: str, *, tls_available: bool = False, peer: str = ""
    ) -> None:
        self.limits = limits
        self.mode = mode
        self.hostname = hostname
        self.peer = peer
        self._tls = tls_available
        self._buffer = bytearray()
        self._out: list[bytes] = [Reply(220, "", f"{hostname} {mode.upper()} Postroad").line()]
        self._helo = ""
        self._errors = 0
        self._waiting: Event | None = None
        self._content: Content | None = None
        self._chunk_left = 0
        self._last_chunk = False
        self._bdat = False
        self._closed = False
        self._reset()

    def _reset(self) -> None:
        self._from: str | None = None
        self._utf8 = False
        self._recipients: list[str] = []
        self._content = None
        self._bdat = False
        self._chunk_left = 0

    # --- in and out

    @property
    def busy(self) -> bool:
        """Whether an event waits for its answer."""
        return self._waiting is not None

    @property
    def in_transaction(self) -> bool:
        """Whether a mail is on its way in."""
        return self._from is not None

    @property
    def buffered(self) -> int:
        """Octets that wait."""
        return len(self._buffer)

    @property
    def gathered(self) -> int:
        """Octets that are held for this client: what waits, and the mail that is coming in."""
        return len(self._buffer) + (self._content.held if self._content is not None else 0)

    def refuse_content(self) -> None:
        """There is no room for the mail that is coming in: swallow it, and ask the client to try again."""
        if self._content is not None:
            self._content.refuse("crowded")

    def outgoing(self) -> bytes:
        """Replies to send; empty when there are none."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes) -> list[Event]:
        """Take octets; what the caller has to decide next (at most one question at a time)."""
        if self._closed:
            return []
        self._buffer += data
        return self._go_on()

    def _go_on(self) -> list[Event]:
        events: deque[Event] = deque()
        while self._waiting is None and not self._closed:
            event = self._step()
            if event is False:
                break
            if isinstance(event, RecipientAsked | MessageReceived | TlsRequested | Closed):
                events.append(event)
        if self._closed and not any(isinstance(e, Closed) for e in events):
            events.append(Closed())
        return list(events)

    def _step(self) -> Event | bool:
        """Do the next thing; False when more octets are needed, True to go on."""
        if self._chunk_left or (self._bdat and self._content is not None and self._last_chunk):
            return self._take_chunk()
        if self._content is not None and not self._bdat:
            return self._take_data()
        end = self._buffer.find(b"\n", 0, self.limits.line)
        if end < 0:
            if len(self._buffer) < self.limits.line:
                return False
            self._end(Reply(500, "5.5.2", "Line too long"))
            return True
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return self._command(line)

    # --- content

    def _take_data(self) -> Event | bool:
        content = self._content
        assert content is not None
        if not self._buffer:
            return False
        if not content.dots(self._buffer):
            if content.length > 4 * self.limits.size + 1_000_000:
                self._end(Reply(421, "4.3.0", "Far too much data"))
                return True
            return False
        return self._received(content, stuffed=True)

    def _take_chunk(self) -> Event | bool:
        content = self._content
        if content is not None:
            piece = bytes(self._buffer[: self._chunk_left])
            content.chunk(piece)
        else:
            piece = bytes(self._buffer[: self._chunk_left])
        del self._buffer[: len(piece)]
        self._chunk_left -= len(piece)
        if self._chunk_left:
            return False
        if content is None:
            return True  # A chunk that was refused is swallowed (RFC 3030 §2).
        if not self._last_chunk:
            self._say(OK if not content.problem else _TEXTS[content.problem])
            return True
        return self._received(content, stuffed=False)

    def _received(self, content: Content, *, stuffed: bool) -> Event | bool:
        data = content.finish(stuffed=stuffed)
        recipients = tuple(self._recipients)
        self._last_chunk = False
        if content.problem:
            self._say_for_each(recipients, [_TEXTS[content.problem]] * len(recipients))
            self._reset()
            return True
        transaction = Transaction(self._from or "", recipients, data, self._utf8, self.peer, self._helo)
        self._waiting = MessageReceived(transaction)
        return self._waiting

    def answer_message(self, replies: Sequence[Reply]) -> list[Event]:
        """The caller's decision on the mail, one reply for each recipient; goes on with what waits."""
        recipients = tuple(self._recipients)
        if len(replies) != len(recipients):
            replies = [Reply(451, "4.3.0", "Please try again")] * len(recipients)
        self._say_for_each(recipients, replies)
        self._reset()
        self._waiting = None
        return self._go_on()

    def _say_for_each(self, recipients: Sequence[str], replies: Sequence[Reply]) -> None:
        """LMTP: a reply for each recipient (RFC 2033 §4.2). SMTP has one: the worst that can be tried again."""
        if self.mode == "lmtp":
            for reply in replies:
                self._say(reply)
            return
        del recipients
        worst = sorted(replies, key=lambda reply: (reply.code < 400, reply.code >= 500))
        self._say(worst[0])

    def answer_recipient(self, refusal: Reply | None) -> list[Event]:
        """The caller's decision on the recipient (None takes it); goes on with what waits."""
        asked = self._waiting
        assert isinstance(asked, RecipientAsked)
        if refusal is None:
            self._recipients.append(asked.address)
            self._say(Reply(250, "2.1.5", "OK"))
        else:
            self._say(refusal)
        self._waiting = None
        return self._go_on()

    def tls_started(self) -> None:
        """TLS is up: forget everything said before, the octets behind STARTTLS first of all (CVE-2024-34083)."""
        self._buffer.clear()
        self._tls = False
        self._helo = ""
        self._reset()
        self._waiting = None

    # --- commands

    def _command(self, line: bytes) -> Event | bool:
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            return self._wrong(Reply(500, "5.5.2", "Commands end in CR LF and hold neither bare CR nor NUL"))
        try:
            text = line[:-2].decode("utf-8")
        except UnicodeDecodeError:
            return self._wrong(Reply(500, "5.5.2", "Not UTF-8"))
        verb, _, argument = text.partition(" ")
        method = _VERBS.get(verb.upper())
        if method is None:
            return self._wrong(Reply(500, "5.5.1", "Unknown command"))
        return method(self, argument.strip())

    def _lhlo(self, argument: str) -> Event | bool:
        if self.mode == "smtp":
            return self._wrong(Reply(500, "5.5.1", "This is SMTP; say EHLO"))
        return self._greet(argument)

    def _ehlo(self, argument: str) -> Event | bool:
        if self.mode == "lmtp":
            return self._wrong(Reply(500, "5.5.1", "This is LMTP; say LHLO"))
        return self._greet(argument)

    def _helo_(self, argument: str) -> Event | bool:
        if self.mode == "lmtp":
            return self._wrong(Reply(500, "5.5.1", "This is LMTP; say LHLO"))
        self._helo = argument or "unknown"
        self._reset()
        self._say(Reply(250, "", self.hostname))
        return True

    def _greet(self, argument: str) -> Event | bool:
        if not argument:
            return self._wrong(Reply(501, "5.5.4", "Say who you are"))
        self._helo = argument[:255]
        self._reset()
        offered = [
            self.hostname, "PIPELINING", f"SIZE {self.limits.size}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES",
            "CHUNKING", "DSN", *(["STARTTLS"] if self._tls else []), "HELP",
        ]  # fmt: skip
        self._out += [f"250-{word}\r\n".encode() for word in offered[:-1]]
        self._out.append(f"250 {offered[-1]}\r\n".encode())
        return True

    def _mail(self, argument: str) -> Event | bool:
        if not self._helo:
            return self._wrong(Reply(503, "5.5.1", "Say LHLO first" if self.mode == "lmtp" else "Say EHLO first"))
        if self._from is not None:
            return self._wrong(Reply(503, "5.5.1", "There is a transaction already; RSET ends it"))
        path = paths.parse(argument, "FROM:")
        if path is None:
            return self._wrong(Reply(501, "5.5.4", "Say MAIL FROM:<address>"))
        if path.wrong:
            return self._wrong(_not_taken(path.wrong))
        if int(path.parameters.get("SIZE", "0")) > self.limits.size:
            self._say(_TEXTS["size"])
            return True
        self._from, self._utf8 = path.address, "SMTPUTF8" in path.parameters
        self._say(Reply(250, "2.1.0", "OK"))
        return True

    def _rcpt(self, argument: str) -> Event | bool:
        if self._from is None:
            return self._wrong(Reply(503, "5.5.1", "Say MAIL first"))
        if self._content is not None:
            return self._wrong(Reply(503, "5.5.1", "BDAT has begun; end it with BDAT or RSET"))
        path = paths.parse(argument, "TO:")
        if path is None or not path.address:
            return self._wrong(Reply(501, "5.5.4", "Say RCPT TO:<address>"))
        if path.wrong:
            return self._wrong(_not_taken(path.wrong))
        if len(self._recipients) >= self.limits.recipients:
            self._say(Reply(452, "4.5.3", "Too many recipients for one transaction"))
            return True
        self._waiting = RecipientAsked(path.address, self._from)
        return self._waiting

    def _data(self, _argument: str) -> Event | bool:
        if self._content is not None:
            return self._wrong(Reply(503, "5.5.1", "BDAT has begun; end it with BDAT or RSET"))
        if not self._recipients:
            return self._wrong(Reply(503, "5.5.1", "No valid recipients"))
        self._content = Content(self.limits.size, self.limits.data_line)
        self._say(Reply(354, "", "Send the mail, end with a dot"))
        return True

    def _bdat_(self, argument: str) -> Event | bool:
        count, _, last = argument.partition(" ")
        if not re.fullmatch(r"\d{1,12}", count) or last.strip().upper() not in ("", "LAST"):
            self._end(Reply(501, "5.5.4", "Say BDAT <octets> [LAST]"))
            return True
        self._chunk_left = int(count)
        if not self._recipients:
            self._say(Reply(503, "5.5.1", "No valid recipients"))
            return True
        if self._chunk_left > 4 * self.limits.size + 1_000_000:
            self._end(Reply(552, "5.3.4", "Far too much data"))
            return True
        if self._content is None:
            self._content = Content(self.limits.size, self.limits.data_line)
        self._bdat, self._last_chunk = True, bool(last)
        if not self._chunk_left and not last:
            self._say(OK)
        return True

    def _rset(self, _argument: str) -> Event | bool:
        self._reset()
        self._say(OK)
        return True

    def _noop(self, _argument: str) -> Event | bool:
        self._say(OK)
        return True

    def _vrfy(self, _argument: str) -> Event | bool:
        self._say(Reply(252, "2.5.2", "Send some mail, and see"))
        return True

    def _help(self, _argument: str) -> Event | bool:
        self._say(Reply(214, "2.0.0", "RFC 2033 and RFC 5321 tell"))
        return True

    def _quit(self, _argument: str) -> Event | bool:
        self._end(Reply(221, "2.0.0", "Bye"))
        return True

    def _starttls(self, argument: str) -> Event | bool:
        if not self._tls or argument:
            return self._wrong(Reply(502, "5.5.1", "No STARTTLS here"))
        self._say(Reply(220, "2.0.0", "Ready to start TLS"))
        self._buffer.clear()
        self._waiting = TlsRequested()
        return self._waiting

    # --- replies

    def _say(self, reply: Reply) -> None:
        self._out.append(reply.line())

    def _wrong(self, reply: Reply) -> bool:
        self._errors += 1
        if self._errors > self.limits.errors:
            self._end(Reply(421, "4.7.0", "Too many errors"))
        else:
            self._say(reply)
        return True

    def _end(self, reply: Reply) -> None:
        self._say(reply)
        self._closed = True

    def shut_down(self) -> None:
        """Tell the client that the server goes (RFC 5321 §3.8)."""
        if not self._closed:
            self._end(Reply(421, "4.3.2", "The server is going down"))


def _not_taken(parameter: str) -> Reply:
    return Reply(555, "5.5.4", f"The parameter {parameter} is not known here, or not with this value")


_VERBS = {
    "LHLO": Session._lhlo, "EHLO": Session._ehlo, "HELO": Session._helo_, "MAIL": Session._mail,
    "RCPT": Session._rcpt, "DATA": Session._data, "BDAT": Session._bdat_, "RSET": Session._rset,
    "NOOP": Session._noop, "VRFY": Session._vrfy, "HELP": Session._help, "QUIT": Session._quit,
    "STARTTLS": Session._starttls,
}  # fmt: skip
