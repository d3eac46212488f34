"""Copies that wait for a connection, a line for each receiving domain, taken in turn.

A domain whose recipients are answered slowly (a relay that asks the receiver first) may hold half of the connections;
the other half goes on with everybody else.
"""

from collections import Counter, deque
from collections.abc import Iterable

from postroad.mailflow.delivery.transaction import Submission, Transaction


class Waiting:
    """The lines, and how many copies of each domain are under way."""

    def __init__(self, connections: int) -> None:
        self._share = max(1, connections // 2)
        self._lines: dict[str, deque[Transaction]] = {}
        self._turns: deque[str] = deque()
        """The domains that have a line, the next one first."""
        self._busy: Counter[str] = Counter()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, transaction: Transaction) -> None:
        """Wait at the end of the domain's line."""
        self._line(transaction).append(transaction)
        self._count += 1

    def put_back(self, transactions: Iterable[Transaction]) -> None:
        """Wait at the head again, in their order."""
        for transaction in reversed(list(transactions)):
            self._line(transaction).appendleft(transaction)
            self._count += 1

    def _line(self, transaction: Transaction) -> "deque[Transaction]":
        line = self._lines.get(transaction.domain)
        if line is None:
            line = self._lines[transaction.domain] = deque()
            self._turns.append(transaction.domain)
        return line

    def take(self) -> Transaction | None:
        """The next copy: of the first domain in turn that has not its share of connections, else of the first."""
        if not self._count:
            return None
        turns, busy = self._turns, self._busy
        for _ in range(len(turns)):
            if busy[turns[0]] < self._share:
                break
            turns.rotate(-1)
        domain = turns[0]
        line = self._lines[domain]
        transaction = line.popleft()
        if line:
            turns.rotate(-1)
        else:
            del self._lines[domain]
            turns.popleft()
        busy[domain] += 1
        self._count -= 1
        return transaction

    def landed(self, transactions: Iterable[Transaction]) -> None:
        """These are no longer under way."""
        for transaction in transactions:
            left = self._busy[transaction.domain] - 1
            if left:
                self._busy[transaction.domain] = left
            else:
                del self._busy[transaction.domain]

    def without(self, submission: Submission) -> None:
        """Take back what waits of one submission."""
        kept = [one for line in self._lines.values() for one in line if one.submission is not submission]
        self.clear()
        for transaction in kept:
            self.put(transaction)

    def clear(self) -> list[Transaction]:
        """Take everything back."""
        given = [one for line in self._lines.values() for one in line]
        self._lines.clear()
        self._turns.clear()
        self._count = 0
        return given
