"""One copy on its way through SMTP: who still waits for a reply, and the commands of its envelope.

Made by the pool, driven by `conversation.py`.
"""

import logging
import re
from asyncio import Future

from postroad.foundation.message.addresses import domain_to_ascii
from postroad.mailflow.delivery.relay import Copy, Features, Outcome, Stage, kind_of

log = logging.getLogger(__name__)

_SAFE = re.compile(r"[!-;=?-~]*")
_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Submission:
    """What belongs to one call of the pool's `submit`."""

    __slots__ = ("fed", "finished", "left", "stopped", "unsent")

    def __init__(self, finished: "Future[None]") -> None:
        self.finished = finished
        self.left = 0
        self.fed = False
        self.stopped = False
        self.unsent: list[Copy] = []


class Transaction:
    """A copy, its recipients without an outcome (`pending`) and those the relay took in this attempt (`accepted`)."""

    __slots__ = ("accepted", "attempts", "copy", "domain", "overflow", "pending", "submission", "wire")

    def __init__(self, copy: Copy, submission: Submission) -> None:
        self.copy = copy
        self.submission = submission
        self.domain = copy.recipients[0].rpartition("@")[2].lower() if len(copy.recipients) == 1 else ""
        """Who receives a personal copy; empty where several may."""
        self.pending = dict.fromkeys(range(len(copy.recipients)))
        self.accepted: list[int] = []
        self.overflow: list[int] = []
        self.attempts = 0
        self.wire = b""

    @property
    def untouched(self) -> bool:
        """Whether no recipient has an outcome yet."""
        return len(self.pending) == len(self.copy.recipients)

    def settle(
        self, indexes: list[int], code: int, text: str, stage: Stage, *, in_doubt: bool = False
    ) -> list[Outcome]:
        """Give these recipients their final outcome."""
        kind = kind_of(code)
        for index in indexes:
            del self.pending[index]
        return [Outcome(self.copy.key, index, code, text, kind, in_doubt, stage) for index in indexes]


class _Unaddressable(Exception):
    """An address that cannot be said to the relay."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def stuffed(data: bytes) -> bytes:
    """Make a message ready for DATA: dots doubled at line starts, closed by the lone dot (RFC 5321 §4.5.2)."""
    if b"\n." in data:
        data = data.replace(b"\n.", b"\n..")
    if data[:1] == b".":
        data = b"." + data
    return data + b".\r\n" if data.endswith(b"\r\n") or not data else data + b"\r\n.\r\n"


def open_envelope(transaction: Transaction, features: Features, outcomes: list[Outcome]) -> list[str]:
    """Prepare the content and return MAIL, the RCPTs in the order of `pending`, and DATA.

    Recipients that cannot be said to this relay get their outcome at once; an empty list means that none is left.
    """
    copy = transaction.copy
    transaction.accepted = []
    transaction.overflow = []
    try:
        data = copy.content(features)
    except Exception as error:
        log.exception("copy %s could not be made", copy.key)
        text = f"4.3.0 the copy could not be made here: {error!r}"
        outcomes += transaction.settle(list(transaction.pending), 451, text, "local")
        return []
    try:
        sender = _path(copy.sender, features)
    except _Unaddressable as error:
        outcomes += transaction.settle(list(transaction.pending), error.code, error.text, "local")
        return []
    paths = [sender]
    for index in list(transaction.pending):
        try:
            paths.append(_path(copy.recipients[index], features))
        except _Unaddressable as error:
            outcomes += transaction.settle([index], error.code, error.text, "local")
    if not transaction.pending:
        return []
    transaction.wire = stuffed(data)
    commands = [f"RCPT TO:<{path}>\r\n" for path in paths]
    commands[0] = f"MAIL FROM:<{sender}>{_parameters(data, paths, features)}\r\n"
    commands.append("DATA\r\n")
    return commands


def _parameters(data: bytes, paths: list[str], features: Features) -> str:
    """Parameters of MAIL: RFC 1870, RFC 6152, RFC 6531."""
    parameters = f" SIZE={len(data)}" if features.size else ""
    if features.eight_bit and not data.isascii():
        parameters += " BODY=8BITMIME"
    if features.smtputf8 and not all(map(str.isascii, paths)):
        parameters += " SMTPUTF8"
    return parameters


def _path(address: str, features: Features) -> str:
    if _SAFE.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    quoted = local.startswith('"') and local.endswith('"')
    if _HARMFUL.search(address) or (not quoted and re.search("[ <>]", address)):
        raise _Unaddressable(553, f"5.1.3 this is not a mail address: {address[:100]!r}")
    if local.isascii():  # Only the domain is international: DNS knows it under another name, and every host does.
        try:
            return f"{local}@{domain_to_ascii(domain)}"
        except ValueError:
            raise _Unaddressable(553, f"5.1.2 this is not a domain: {domain[:100]!r}") from None
    if features.smtputf8:
        return address
    raise _Unaddressable(553, "5.6.7 the mail relay does not support internationalised addresses (SMTPUTF8)")
