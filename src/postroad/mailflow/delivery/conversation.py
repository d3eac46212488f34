"""The mail-sending part of an SMTP session without sockets: pipelined groups, one reply per recipient.

`client.py` hands in bytes and writes out what lies in `out`; the pool reads `outcomes`, `done` and `again`.
CHUNKING is left aside on purpose: with the next envelope in the content's flight a copy costs one round trip already.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum

from postroad.mailflow.delivery.relay import LOST, Features, Outcome, Stage, readable
from postroad.mailflow.delivery.replies import Replies
from postroad.mailflow.delivery.transaction import Transaction, open_envelope

MAX_ATTEMPTS = 2
"""How often a copy may be the one at which a session breaks before its content; then it gets an outcome."""


class _Await(Enum):
    RSET = 0
    MAIL = 1
    RCPT = 2
    DATA = 3
    DOT = 4


_RSET, _MAIL, _RCPT, _DATA, _DOT = _Await


class Conversation:
    """Sends copies over one session.

    At most one transaction has its content under way and at most one more its envelope (RFC 2920 §3.1).
    """

    def __init__(self, features: Features, replies: Replies, take: Callable[[], Transaction | None]) -> None:
        self.out: list[bytes] = []
        self.outcomes: list[Outcome] = []
        self.done: list[Transaction] = []
        self.again: list[Transaction] = []
        """To be tried again at once, safely: their content was never under way."""
        self.ended: tuple[int, str] | None = None
        """Set when the session can't go on: code and text for what it leaves behind."""
        self.answered = 0
        """Transactions that the relay brought to an end by its replies, whichever."""
        self._features = features
        self._replies = replies
        self._take = take
        self._expected: deque[tuple[_Await, Transaction, int]] = deque()
        self._held: deque[tuple[bytes, _Await, Transaction, int]] = deque()
        """Without PIPELINING: commands that wait for the reply to the one before."""
        self._envelope: Transaction | None = None
        self._content: Transaction | None = None
        self._must_reset = False
        self._astray = False
        """The relay took a recipient after it had refused the sender: an empty message would go to real people."""

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._envelope is None and not self._expected

    @property
    def awaits_content(self) -> bool:
        """Whether the next reply is the one to a message."""
        return bool(self._expected) and self._expected[0][0] is _DOT

    def receive(self, data: bytes) -> bool:
        """Take bytes of the relay and say whether there was a whole reply in them."""
        replies = self._replies.feed(data)
        for code, text in replies:
            self._on_reply(code, text)
            if self.ended is not None:
                return True
        if self._replies.broken and self.ended is None:
            self._break_off(LOST, f"the mail relay sent {self._replies.broken}")
        return bool(replies)

    def pump(self) -> None:
        """Begin the next transaction, if one may begin and one is waiting."""
        if self._envelope is not None or self.ended is not None:
            return
        if self._expected and not self._features.pipelining:
            return
        while (transaction := self._take()) is not None:
            commands = open_envelope(transaction, self._features, self.outcomes)
            if commands:
                self._envelope = transaction
                self._send_envelope(transaction, commands)
                return
            self.done.append(transaction)

    def lost(self, code: int, text: str, *, waited_in_vain: bool = False) -> None:
        """The session is over: give what was under way its outcome, or give it back.

        Content without a reply is in doubt. An envelope is tried again, unless this is not the first session that
        broke at it or the relay left it waiting.
        """
        if self.ended is None:
            self.ended = (code, text)
        blamed = self._expected[0][1] if self._expected else None
        content, self._content = self._content, None
        envelope, self._envelope = self._envelope, None
        self._expected.clear()
        self._held.clear()
        if content is not None:
            self.outcomes += content.settle(content.accepted, LOST, text, "content", in_doubt=True)
            (self.again if content.pending else self.done).append(content)
        if envelope is not None:
            envelope.attempts += envelope is blamed
            if envelope is blamed and (waited_in_vain or envelope.attempts >= MAX_ATTEMPTS):
                self.outcomes += envelope.settle(list(envelope.pending), code, text, "connection")
            (self.again if envelope.pending else self.done).append(envelope)

    def _send_envelope(self, transaction: Transaction, commands: list[str]) -> None:
        steps: list[tuple[_Await, Transaction, int]] = [(_MAIL, transaction, 0)]
        steps += [(_RCPT, transaction, index) for index in transaction.pending]
        steps.append((_DATA, transaction, 0))
        self._astray = False
        if self._must_reset:
            self._must_reset = False
            commands.insert(0, "RSET\r\n")
            steps.insert(0, (_RSET, transaction, 0))
        if self._features.pipelining:
            self._expected += steps
            self.out.append("".join(commands).encode())
        else:
            for command, step in zip(commands, steps, strict=True):
                self._held.append((command.encode(), *step))
            self._send_held()

    def _send_held(self) -> None:
        command, awaited, transaction, index = self._held.popleft()
        self.out.append(command)
        self._expected.append((awaited, transaction, index))

    def _on_reply(self, code: int, text: bytes) -> None:
        if not self._expected:
            self._break_off(LOST, f"the mail relay ended the session: {code} {readable(text)}")
            return
        awaited, transaction, index = self._expected[0]
        if code == 421 and awaited is not _DOT:
            self._break_off(code, readable(text))
            return
        if 300 <= code < 400 and not (awaited is _DATA and code == 354):
            self._break_off(LOST, f"the mail relay answered {awaited.name} with {code} {readable(text)}")
            return
        self._expected.popleft()
        if awaited is _RCPT:
            self._on_rcpt(transaction, index, code, text)
        elif awaited is _DOT:
            self._on_dot(transaction, code, text)
        elif awaited is _MAIL:
            if code >= 400:
                self._refuse(transaction, list(transaction.pending), code, text, "mail")
        elif awaited is _DATA:
            self._on_data(transaction, code, text)
        if self._held and not self._expected:
            self._go_on(transaction)

    def _go_on(self, transaction: Transaction) -> None:
        """Without PIPELINING: the next command, unless what was refused has made it pointless."""
        if not transaction.pending or (self._held[0][1] is _DATA and not transaction.accepted):
            self._held.clear()
            self._must_reset = True
            self._envelope = None
            self._finish(transaction)
        else:
            self._send_held()

    def _on_rcpt(self, transaction: Transaction, index: int, code: int, text: bytes) -> None:
        if code < 300:
            if index in transaction.pending:
                transaction.accepted.append(index)
            else:
                self._astray = True
        elif code in {452, 552} and transaction.accepted:
            # Too many for one transaction (RFC 5321 §4.5.3.1.10): the rest goes in the next.
            transaction.overflow.append(index)
        elif index in transaction.pending:
            self._refuse(transaction, [index], code, text, "rcpt")

    def _on_data(self, transaction: Transaction, code: int, text: bytes) -> None:
        if code == 354 and self._astray:
            self._break_off(LOST, "the mail relay refused the sender and yet wants the message")
            return
        self._envelope = None
        if code == 354:
            # A relay that took no recipient but wants the message gets an empty one (RFC 2920 §3.1).
            self.out.append(transaction.wire if transaction.accepted else b".\r\n")
            transaction.wire = b""
            self._content = transaction
            self._expected.append((_DOT, transaction, 0))
            return
        if code < 300:
            self._envelope = transaction
            self._expected.appendleft((_DATA, transaction, 0))
            self._break_off(LOST, f"the mail relay answered DATA with {code} {readable(text)}")
            return
        self._must_reset = True
        if transaction.accepted:
            self._refuse(transaction, transaction.accepted, code, text, "content")
        self._finish(transaction)

    def _on_dot(self, transaction: Transaction, code: int, text: bytes) -> None:
        self._content = None
        if transaction.accepted:
            self.outcomes += transaction.settle(transaction.accepted, code, readable(text), "content")
        self._finish(transaction)
        if code == 421:
            self._expected.clear()
            self._break_off(code, readable(text))

    def _refuse(self, transaction: Transaction, indexes: list[int], code: int, text: bytes, stage: Stage) -> None:
        self.outcomes += transaction.settle(indexes, code, readable(text), stage)

    def _finish(self, transaction: Transaction) -> None:
        self.answered += 1
        transaction.wire = b""
        if transaction.pending:
            transaction.attempts = 0
            self.again.append(transaction)
        else:
            self.done.append(transaction)

    def _break_off(self, code: int, text: str) -> None:
        self.ended = (code, text)
