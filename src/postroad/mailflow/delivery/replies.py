"""Cut what a relay sends into replies (RFC 5321 §4.2), however the bytes arrive, within limits.

Used by `client.py` only; knows nothing of commands.
"""

MAX_LINE = 4096
"""Longest reply line in octets. Seen in practice: relays go beyond the 512 of RFC 5321 §4.5.3.1.5."""
MAX_REPLY = 65536
"""Longest reply of several lines, in octets."""

_CODES = {b"%d" % code: code for code in range(200, 600)}

Reply = tuple[int, bytes]
"""Code, and the lines' texts joined by LF."""


class Replies:
    """A parser of replies; `broken` says what is wrong once something is, and stays."""

    __slots__ = ("_lines", "_size", "_tail", "broken")

    def __init__(self) -> None:
        self.broken = ""
        self.discard()

    def discard(self) -> None:
        """Forget what was received but not yet used (RFC 3207 §4.2)."""
        self._tail = b""
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Reply]:
        """Take bytes and return the replies that are complete with them, in order."""
        if self._tail:
            data = self._tail + data
        found: list[Reply] = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            line = data[start:end]
            start = end + 1
            code = _CODES.get(line[:3])
            mark = line[3:4]
            text = line[4:-1] if line.endswith(b"\r") else line[4:]
            if code is None or mark not in b" -\r" or len(line) > MAX_LINE:
                return self._break(found, f"not a reply: {line[:60]!r}")
            if mark == b"-":
                self._lines.append(text)
                self._size += len(line)
                if self._size > MAX_REPLY:
                    return self._break(found, "an endless reply")
            elif self._lines:
                found.append((code, b"\n".join([*self._lines, text])))
                self._lines = []
                self._size = 0
            else:
                found.append((code, text))
        self._tail = data[start:]
        if len(self._tail) > MAX_LINE:
            return self._break(found, "an endless line")
        return found

    def _break(self, found: list[Reply], why: str) -> list[Reply]:
        self.broken = why
        self.discard()
        return found
