"""Makes of bytes what is kept of them: their key, and zstd's form. Needs no database, so other processes can do it."""

import hashlib
import sys
from typing import NamedTuple

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_SMALLEST_PACKED = 128


class Packed(NamedTuple):
    """A content ready to be kept."""

    key: str
    size: int
    """Of what was packed, in bytes."""
    codec: str
    data: bytes


def key_of(data: bytes) -> str:
    """The name these bytes are kept under: their SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def pack(data: bytes) -> Packed:
    """Pack bytes; short ones stay as they are."""
    if len(data) < _SMALLEST_PACKED:
        return Packed(key_of(data), len(data), "raw", data)
    return Packed(key_of(data), len(data), "zstd", zstd.compress(data, 3))


def unpack(codec: str, data: bytes) -> bytes:
    """The bytes again."""
    return zstd.decompress(data) if codec == "zstd" else data
