"""Keep bytes and find them again under their SHA-256, packed with zstd. Callers do not know where they lie."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

from django.db import Error, connection

from postroad.foundation.errors import NotFound
from postroad.foundation.rows import insert_many, marks, plain_octets
from postroad.foundation.storage.packing import Packed, key_of, pack, unpack
from postroad.foundation.storage.stores import configured, of_mark

__all__ = ["at_hand", "keep_packed", "key_of", "load", "load_many", "packed", "store", "store_many"]

_at_hand: ContextVar[Mapping[str, bytes]] = ContextVar("at hand", default=MappingProxyType({}))


def store(data: bytes) -> str:
    """Keep bytes in the present transaction; the key to find them again."""
    return store_many((data,))[0]


def store_many(contents: Iterable[bytes | Packed]) -> list[str]:
    """Keep several contents, some of them packed already, in one statement; their keys in order."""
    now = time.time()
    outside = configured()
    keys, rows, packed_by_key = [], {}, {}
    for content in contents:
        key, size, codec, data = content if isinstance(content, Packed) else pack(content)
        keys.append(key)
        packed_by_key[key] = data
        rows[key] = (key, size, outside.mark + codec if outside else codec, b"" if outside else data, now)
    if not rows:
        return keys
    # The row first, and anew if it is there: whoever collects what nobody needs waits for it, or we for them.
    insert_many(
        "INSERT INTO storage_blob (key, size, codec, data, created_at)",
        [rows[key] for key in sorted(rows)],
        "ON CONFLICT (key) DO UPDATE SET created_at = excluded.created_at",
    )
    if outside:
        outside.put(packed_by_key)
    return keys


def load(key: str) -> bytes:
    """The bytes kept under this key.

    Raises:
        NotFound: nothing is kept under it.
        TryLater: they are kept outside, and not to be had just now.
    """
    found = _at_hand.get().get(key)
    if found is not None:
        return found
    with connection.cursor() as cursor:
        plain_octets(cursor)
        cursor.execute("SELECT codec, data FROM storage_blob WHERE key = %s", (key,))
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"No content is stored under {key}.")
    return unpack(*packed(key, row[0], bytes(row[1])))


@contextmanager
def at_hand(keys: Iterable[str]) -> Iterator[None]:
    """Load contents by one query, and let `load` find them inside of the block; what a key names never changes."""
    try:
        found = load_many(keys)
    except Error:
        raise
    except Exception:  # noqa: BLE001 — one of them cannot be had; who asks for it is told then
        found = {}
    token = _at_hand.set(found)
    try:
        yield
    finally:
        _at_hand.reset(token)


def load_many(keys: Iterable[str]) -> dict[str, bytes]:
    """The bytes of several keys by one query; unknown ones, and those whose file is gone, are left out."""
    wanted = list(keys)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        plain_octets(cursor)
        cursor.execute(f"SELECT key, codec, data FROM storage_blob WHERE key IN ({marks(len(wanted))})", wanted)  # noqa: S608
        rows = cursor.fetchall()
    return _unpacked((key, codec, bytes(data)) for key, codec, data in rows)


def packed(key: str, codec: str, data: bytes) -> tuple[str, bytes]:
    """A row's content as it is packed, wherever it lies: how, and the bytes; for backups.

    Raises:
        NotFound: it is gone from where it lay.
    """
    if codec[1:2] != ":":
        return codec, data
    store = of_mark(codec[:2])
    found = store.get([key]).get(key)
    if found is None:
        raise NotFound(f"No content is stored under {key}: {store.place(key)} is gone.")
    return codec[2:], found


def keep_packed(key: str, codec: str, data: bytes) -> tuple[str, bytes]:
    """Codec and data of a row for a content that is packed already; it goes outside where the site has them there."""
    outside = configured()
    if outside is None:
        return codec, data
    outside.put({key: data})
    return outside.mark + codec, b""


def _unpacked(rows: Iterable[tuple[str, str, bytes]]) -> dict[str, bytes]:
    inside: dict[str, tuple[str, bytes]] = {}
    outside: dict[str, dict[str, str]] = {}
    for key, codec, data in rows:
        if codec[1:2] == ":":
            outside.setdefault(codec[:2], {})[key] = codec[2:]
        else:
            inside[key] = (codec, data)
    for mark, codecs in outside.items():
        inside |= {key: (codecs[key], data) for key, data in of_mark(mark).get(codecs).items()}
    return {key: unpack(codec, data) for key, (codec, data) in inside.items()}
