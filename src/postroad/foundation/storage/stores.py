"""Where packed contents lie: in the database's own row, in files below the home, or in a bucket.

Each store keeps what it was given under its key, whole or not at all, and keeping the same again changes nothing.
"""

import math
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from postroad.foundation.configuration import current
from postroad.foundation.errors import ConfigurationError, TryLater
from postroad.foundation.sections import Storage

PARTS = tuple(f"{number:02x}" for number in range(256))
"""A store by the first two digits of its keys."""
_KEY = re.compile(r"[0-9a-f]{64}")
_AT_ONCE = 16
"""Requests to a bucket that are under way together."""


class Store(Protocol):
    """A place outside the database."""

    mark: str
    """Stands before a row's codec, so that each row says where its content is, whatever is configured by now."""

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Keep contents under their keys, durably when it returns."""

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """What is kept under these keys; those that are not there are left out."""

    def delete(self, keys: Iterable[str]) -> None:
        """Forget contents; those that are not there are no matter."""

    def kept_before(self, part: str, moment: float) -> list[str]:
        """Keys of this part whose contents were written before a moment (seconds since 1970).

        What was never finished, and is as old, is done away with.
        """

    def place(self, key: str) -> str:
        """Where a content is or ought to be, to be told to people."""


class Files:
    """Files below the home, two folders deep."""

    mark = "f:"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Write, sync, rename, sync the folder: a file is there whole or not at all."""
        for key, packed in contents.items():
            path = self._path(key)
            if not path.exists():
                _write(path, packed)

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Read them one by one."""
        found = {}
        for key in keys:
            try:
                found[key] = self._path(key).read_bytes()
            except FileNotFoundError:
                continue
        return found

    def delete(self, keys: Iterable[str]) -> None:
        """Unlink them."""
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    def kept_before(self, part: str, moment: float) -> list[str]:
        """By the time each file was written; a dot begins the name of one that was not yet renamed."""
        found = []
        for path in (self._folder / part).glob("*/*"):
            if _written(path) < moment:
                if _KEY.fullmatch(path.name):
                    found.append(path.name)
                elif path.name.startswith("."):
                    path.unlink(missing_ok=True)
        return found

    def place(self, key: str) -> str:
        """Its path."""
        return str(self._path(key))

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:4] / key


def _write(path: Path, packed: bytes) -> None:
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


def _written(path: Path) -> float:
    """When a file was written; never, if it went meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


class Bucket:
    """Objects in a bucket of an S3-compatible store."""

    mark = "s:"

    def __init__(self, settings: Storage) -> None:
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError:
            raise ConfigurationError(
                '[storage] kind = "s3" needs the extra "s3": pip install "postroad[s3]", or choose "files".'
            ) from None
        self._obstore = obstore
        self._settings = settings
        options: dict[str, Any] = {"endpoint": settings.endpoint} if settings.endpoint else {}
        if settings.access_key:
            options |= {"access_key_id": settings.access_key, "secret_access_key": settings.secret_key}
        self._store = S3Store(
            settings.bucket, region=settings.region, **options,
            client_options={"allow_http": settings.endpoint.startswith("http:")},
        )  # fmt: skip
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="bucket")

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Put them at the same time; S3 answers when an object is durable."""
        list(self._threads.map(self._put, contents.items()))

    def _put(self, item: tuple[str, bytes]) -> None:
        key, packed = item
        try:
            self._obstore.put(self._store, self._name(key), packed)
        except (OSError, self._obstore.exceptions.BaseError) as error:
            raise TryLater(f"{self.place(key)} cannot be written just now: {error}") from error

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Get them at the same time."""
        wanted = list(keys)
        found = zip(wanted, self._threads.map(self._get, wanted), strict=True)
        return {key: data for key, data in found if data is not None}

    def _get(self, key: str) -> bytes | None:
        try:
            return bytes(self._obstore.get(self._store, self._name(key)).bytes())
        except FileNotFoundError:
            return None
        except (OSError, self._obstore.exceptions.BaseError) as error:
            raise TryLater(f"{self.place(key)} cannot be read just now: {error}") from error

    def delete(self, keys: Iterable[str]) -> None:
        """Delete them by one call."""
        names = [self._name(key) for key in keys]
        if names:
            self._obstore.delete(self._store, names)

    def kept_before(self, part: str, moment: float) -> list[str]:
        """By what the bucket says of each object; it keeps nothing unfinished."""
        listed = self._obstore.list(self._store, prefix=f"{self._settings.prefix}{part}/")
        old = (one["path"] for some in listed for one in some if one["last_modified"].timestamp() < moment)
        names = (path.rpartition("/")[2] for path in old)
        return [name for name in names if _KEY.fullmatch(name)]

    def place(self, key: str) -> str:
        """Its address in the bucket."""
        return f"s3://{self._settings.bucket}/{self._name(key)}"

    def _name(self, key: str) -> str:
        return f"{self._settings.prefix}{key[:2]}/{key[2:4]}/{key}"


@lru_cache(maxsize=4)
def _bucket(settings: Storage) -> Bucket:
    return Bucket(settings)


def configured() -> Store | None:
    """Where new contents go; None for the database itself."""
    storage = current().storage
    return None if storage.kind == "database" else of_mark("f:" if storage.kind == "files" else "s:")


def of_mark(mark: str) -> Store:
    """The store whose contents have this mark."""
    return Files(current().home / "blobs") if mark == "f:" else _bucket(current().storage)
