"""Postfix's socketmap protocol without a socket (socketmap_table(5)): octets in, questions and replies out.

A question is the netstring of a map's name, a space and a key; a reply that of `OK value`, `NOTFOUND` or `TEMP reason`.
A netstring is `LENGTH:octets,`, the length in decimal digits. What is none ends the conversation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_QUESTION = 2048
"""Octets of a question; a mail address with its map's name has at most a few hundred (RFC 5321 §4.5.3.1)."""
_LONGEST_LENGTH = len(str(LONGEST_QUESTION))


class NotSocketmap(Exception):
    """What came is no question; its text is for the log."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a map is asked for."""

    map: str
    key: str


class Questions:
    """The octets of one client as questions."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> Iterator[Question]:
        """The questions that are complete now.

        Raises:
            NotSocketmap: the client speaks something else, or asks too long a question.
        """
        self._buffer += data
        while (payload := self._netstring()) is not None:
            name, space, key = payload.partition(b" ")
            if not space:
                raise NotSocketmap("a question without a space between map and key")
            yield Question(name.decode("utf-8", "replace"), key.decode("utf-8", "replace"))

    def _netstring(self) -> bytes | None:
        """The next one, taken out of what waits; None when it has not come whole."""
        head, colon, _ = bytes(self._buffer[: _LONGEST_LENGTH + 1]).partition(b":")
        if not (head.isdigit() or (not head and not colon)) or (not colon and len(head) > _LONGEST_LENGTH):
            raise NotSocketmap("no netstring")
        if not colon:
            return None
        length = int(head)
        if length > LONGEST_QUESTION or (head.startswith(b"0") and len(head) > 1):
            raise NotSocketmap(f"a netstring of {length} octets; at most {LONGEST_QUESTION} are taken")
        begin = len(head) + 1
        if len(self._buffer) <= begin + length:
            return None
        if self._buffer[begin + length] != ord(","):
            raise NotSocketmap("a netstring without its comma")
        payload = bytes(self._buffer[begin : begin + length])
        del self._buffer[: begin + length + 1]
        return payload


def found(value: str) -> bytes:
    """The reply that the key is there, with its value."""
    return _reply(f"OK {value}")


NOT_FOUND = b"9:NOTFOUND ,"


def try_later(reason: str) -> bytes:
    """The reply that nobody knows just now; Postfix answers its client 4xx."""
    return _reply(f"TEMP {reason}")


def _reply(text: str) -> bytes:
    octets = text.encode("utf-8", "replace")
    return b"%d:%s," % (len(octets), octets)
