"""What grows with a site while it is brought in, and so lies in temporary files and not in memory."""

import pickle
import sqlite3
from collections.abc import Iterator, MutableMapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def scratch(*tables: str) -> sqlite3.Connection:
    """A database of our own that is gone with this process; small ones never leave its cache of half a megabyte.

    One without a name lies in a temporary file that nobody else sees (https://www.sqlite.org/inmemorydb.html §3).
    """
    made = sqlite3.connect("", isolation_level=None)
    made.executescript("PRAGMA journal_mode=OFF; PRAGMA cache_size=-512;")
    for table in tables:
        made.execute(f"CREATE TABLE {table}")
    return made


class OnDisk(MutableMapping[K, V]):
    """A dictionary of any size. Keys are numbers, texts or tuples of them; values are copies of what was put in."""

    def __init__(self) -> None:
        self._rows = scratch("entry (at INTEGER PRIMARY KEY, key TEXT UNIQUE, item BLOB)")

    def __getitem__(self, key: K) -> V:
        row = self._rows.execute("SELECT item FROM entry WHERE key = ?", (repr(key),)).fetchone()
        if row is None:
            raise KeyError(key)
        value: V = pickle.loads(row[0])[1]  # noqa: S301 — ours, of a moment ago
        return value

    def __setitem__(self, key: K, value: V) -> None:
        # `repr` escapes lone surrogates, which stand for odd bytes of mail and are no text to SQLite.
        self._rows.execute(
            "INSERT INTO entry (key, item) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET item = excluded.item",
            (repr(key), pickle.dumps((key, value))),
        )

    def __delitem__(self, key: K) -> None:
        if not self._rows.execute("DELETE FROM entry WHERE key = ?", (repr(key),)).rowcount:
            raise KeyError(key)

    def __iter__(self) -> Iterator[K]:
        for (item,) in self._rows.execute("SELECT item FROM entry ORDER BY at"):
            key: K = pickle.loads(item)[0]  # noqa: S301 — as above
            yield key

    def __len__(self) -> int:
        return int(self._rows.execute("SELECT count(*) FROM entry").fetchone()[0])
