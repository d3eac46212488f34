"""Files and objects that no row names, left by whoever was killed between keeping a content and committing its row.

An orphan is adopted: it gets a row, and goes with that like every content that nobody refers to (`collecting.py`).
"""

import logging
import time
from collections.abc import Iterable

from django.db import transaction

from postroad.foundation.rows import insert_many
from postroad.foundation.storage.collecting import BATCH, GRACE, collect
from postroad.foundation.storage.models import Blob
from postroad.foundation.storage.packing import key_of, unpack
from postroad.foundation.storage.stores import PARTS, Store, configured

log = logging.getLogger("postroad.storage")

ROUND = 32
"""Days in which every part of the store was looked through once."""


def adopt(parts: Iterable[str] = PARTS, grace: float = GRACE) -> int:
    """Give rows to contents outside of the database that have none for `grace` seconds; how many there were.

    Younger ones may be of a transaction that is under way. Whoever keeps the same content in this moment has written
    its row before: we wait for that and leave it, or they find ours.
    """
    store, adopted = configured(), 0
    if store is None:
        return 0
    for part in parts:
        found = store.kept_before(part, time.time() - grace)
        for begin in range(0, len(found), BATCH):
            keys = found[begin : begin + BATCH]
            known = set(Blob.objects.filter(key__in=keys).values_list("key", flat=True))
            adopted += sum(_adopt(store, key) for key in keys if key not in known)
    if adopted:
        log.info("adopted %d contents that no row named; they are forgotten in %d days", adopted, GRACE // 86_400)
    return adopted


@transaction.atomic
def _adopt(store: Store, key: str) -> bool:
    packed = store.get([key]).get(key)
    if packed is None:
        return False  # It was just forgotten, with its row.
    size, codec = _described(key, packed)
    insert_many(
        "INSERT INTO storage_blob (key, size, codec, data, created_at)",
        [(key, size, store.mark + codec, b"", time.time())],
        "ON CONFLICT (key) DO NOTHING",
    )
    return True


def _described(key: str, packed: bytes) -> tuple[int, str]:
    """Size and codec of a packed content, told by its name; one that is damaged goes as it is."""
    try:
        content = unpack("zstd", packed)
    except Exception:  # noqa: BLE001 — whatever it is, it is no zstd
        return len(packed), "raw"
    return (len(content), "zstd") if key_of(content) == key else (len(packed), "raw")


def adopt_and_collect() -> None:
    """The timetable's task of each day: adopt what is in today's parts, then forget what nobody needs."""
    adopt(parts_of_today())
    collect()


def parts_of_today() -> list[str]:
    """The parts whose turn it is."""
    today = int(time.time() // 86_400)
    return [part for number, part in enumerate(PARTS) if number % ROUND == today % ROUND]
