"""Recipients of a dispatch as they are stored: some hundred to a row, packed; and the replies, packed the same way."""

import sys
from collections.abc import Mapping, Sequence

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK_SIZE = 500
"""Recipients in one row; also what a crash can at most make the database forget, the journal aside."""


class Recipient(msgspec.Struct, frozen=True, array_like=True):
    """One recipient with what a personal copy needs."""

    member_id: int
    """Key of the membership; 0 for a fixed recipient of a notice."""
    email: str
    name: str = ""
    copied: bool = False
    """It stood in To or Cc too, so its copy is marked."""


class Results(msgspec.Struct, array_like=True):
    """What the relay said: the distinct replies, and for each recipient the index of its own (-1: none yet)."""

    replies: list[str]
    of: list[int]

    @classmethod
    def none(cls, count: int) -> "Results":
        """No reply yet for so many recipients."""
        return cls([], [-1] * count)

    def set(self, index: int, reply: str) -> None:
        """Note the reply to one recipient."""
        if not self.replies or self.replies[-1] != reply:
            if reply in self.replies:
                self.of[index] = self.replies.index(reply)
                return
            self.replies.append(reply)
        self.of[index] = len(self.replies) - 1

    def get(self, index: int) -> str | None:
        """The reply to one recipient, such as `250 2.0.0 Ok`."""
        number = self.of[index]
        return None if number < 0 else self.replies[number]


_recipients = msgspec.json.Decoder(list[Recipient])
_results = msgspec.json.Decoder(Results)


def pack_recipients(recipients: Sequence[Recipient]) -> bytes:
    """As stored in `Chunk.recipients`."""
    return zstd.compress(msgspec.json.encode(recipients), 1)


def unpack_recipients(data: bytes) -> list[Recipient]:
    """The recipients of a chunk, in their order."""
    return _recipients.decode(zstd.decompress(data))


def pack_results(results: Results) -> bytes:
    """As stored in `Chunk.results`."""
    return zstd.compress(msgspec.json.encode(results), 1)


def unpack_results(data: bytes, count: int) -> Results:
    """The replies of a chunk; none yet where nothing is stored."""
    return _results.decode(zstd.decompress(data)) if data else Results.none(count)


Replies = Mapping[int, str]
"""Index of the recipient in its chunk → the relay's reply."""
