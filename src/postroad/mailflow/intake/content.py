"""Takes a mail's octets out of the stream: DATA with its dots (RFC 5321 §4.5.2) and BDAT chunks (RFC 3030).

Only CR LF ends a line and only CR LF . CR LF ends the mail. A bare CR or LF is never taken for a line end, and
a mail that has one is refused whole, so that nobody smuggles a second mail inside the first (CVE-2023-51764).
"""

from dataclasses import dataclass, field

_END = b"\r\n.\r\n"


@dataclass(slots=True)
class Content:
    """A mail that is coming in. `problem` says why it will be refused; its octets are swallowed then."""

    size: int
    line: int
    problem: str = ""
    _chunks: list[bytes] = field(default_factory=list)
    _length: int = 0
    _tail: bytes = b"\r\n"

    def dots(self, buffer: bytearray) -> bool:
        """Take DATA octets from the buffer; whether the end of the mail was among them."""
        whole = self._tail + bytes(buffer)
        end = whole.find(_END)
        if end >= 0:
            self._take(whole[len(self._tail) : end + 2] if end + 2 > len(self._tail) else b"")
            if end + 2 < len(self._tail):
                # The end began in what was taken before: give back what belongs to it.
                self._give_back(len(self._tail) - end - 2)
            del buffer[: end + len(_END) - len(self._tail)]
            return True
        self._take(bytes(buffer))
        self._tail = whole[-4:]
        buffer.clear()
        return False

    def chunk(self, data: bytes) -> None:
        """Take octets of a BDAT chunk."""
        self._take(data)

    def _give_back(self, count: int) -> None:
        joined = b"".join(self._chunks)
        self._chunks = [joined[: len(joined) - count]]

    def _take(self, data: bytes) -> None:
        self._length += len(data)
        # Octets of the end may come in here before they are known as such; `finish` counts exactly.
        if self._length > self.size + len(_END):
            self.problem = self.problem or "size"
        if self.problem:
            self._chunks.clear()
        else:
            self._chunks.append(data)

    def refuse(self, problem: str) -> None:
        """Keep nothing of it, whatever else comes."""
        self.problem = self.problem or problem
        self._chunks.clear()

    @property
    def held(self) -> int:
        """Octets that are kept until the mail is whole."""
        return 0 if self.problem else self._length

    @property
    def length(self) -> int:
        """Octets that came, kept or not."""
        return self._length

    def finish(self, *, stuffed: bool) -> bytes:
        """The mail with its dots undone; sets `problem` when it must be refused."""
        data = b"".join(self._chunks)
        self._chunks.clear()
        if self.problem:
            return b""
        self.problem = self._wrong_with(data)
        if self.problem:
            return b""
        if stuffed:
            if data.startswith(b"."):
                data = data[1:]
            data = data.replace(b"\r\n.", b"\r\n")
        return data

    def _wrong_with(self, data: bytes) -> str:
        if len(data) > self.size:
            return "size"
        pairs = data.count(b"\r\n")
        if data.count(b"\r") != pairs or data.count(b"\n") != pairs:
            return "bare"
        position = 0
        while len(data) - position > self.line:
            end = data.rfind(b"\r\n", position, position + self.line + 2)
            if end < 0:
                return "line"
            position = end + 2
        return ""
