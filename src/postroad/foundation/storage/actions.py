"""Keep bytes and find them again under their SHA-256, packed with zstd. Callers do not know where they lie."""

import hashlib
import os
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from django.db import connection

from postroad.foundation.configuration import current
from postroad.foundation.errors import NotFound
from postroad.foundation.storage.models import Blob

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_SMALLEST_PACKED = 128


def key_of(data: bytes) -> str:
    """The name these bytes are kept under: their SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def store(data: bytes) -> str:
    """Keep bytes in the present transaction; the key to find them again."""
    return store_many((data,))[0]


def store_many(contents: Iterable[bytes]) -> list[str]:
    """Keep several contents in one statement; their keys in order."""
    now = time.time()
    in_files = current().storage.kind == "files"
    keys, rows = [], {}
    for data in contents:
        key = key_of(data)
        keys.append(key)
        if key in rows:
            continue
        codec, packed = ("zstd", zstd.compress(data, 3)) if len(data) >= _SMALLEST_PACKED else ("raw", data)
        if in_files:
            _write_file(key, packed)
            codec, packed = f"f:{codec}", b""
        rows[key] = (key, len(data), codec, packed, now)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO storage_blob (key, size, codec, data, created_at) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (key) DO NOTHING",
            list(rows.values()),
        )
    return keys


def load(key: str) -> bytes:
    """The bytes kept under this key.

    Raises:
        NotFound: nothing is kept under it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT codec, data FROM storage_blob WHERE key = %s", (key,))
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"No content is stored under {key}.")
    return _unpack(key, row[0], bytes(row[1]))


def load_many(keys: Iterable[str]) -> dict[str, bytes]:
    """The bytes of several keys by one query; unknown ones are left out."""
    rows = Blob.objects.filter(key__in=list(keys)).values_list("key", "codec", "data")
    return {key: _unpack(key, codec, bytes(data)) for key, codec, data in rows}


def packed(key: str, codec: str, data: bytes) -> tuple[str, bytes]:
    """A row's content as it is packed, wherever it lies: how, and the bytes; for backups.

    Raises:
        NotFound: its file is gone.
    """
    if not codec.startswith("f:"):
        return codec, data
    try:
        return codec.removeprefix("f:"), _path(key).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"No content is stored under {key}: its file {_path(key)} is gone.") from None


def keep_packed(key: str, codec: str, data: bytes) -> tuple[str, bytes]:
    """Codec and data of a row for a content that is packed already; it goes into a file where the site has them."""
    if current().storage.kind != "files":
        return codec, data
    _write_file(key, data)
    return f"f:{codec}", b""


def _unpack(key: str, codec: str, data: bytes) -> bytes:
    codec, data = packed(key, codec, data)
    return zstd.decompress(data) if codec == "zstd" else data


def _path(key: str) -> Path:
    return current().home / "blobs" / key[:2] / key[2:4] / key


def _write_file(key: str, packed: bytes) -> None:
    """Write, sync, rename, sync the folder: the file is there whole or not at all."""
    path = _path(key)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two threads may keep the same content at the same time: each writes a file of its own.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with temporary.open("wb") as file:
        file.write(packed)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
