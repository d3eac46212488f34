"""Contents that nobody refers to any more are forgotten, a while after they were kept last.

Who refers to contents is told in `project/settings.py`; a table of rows that name keys must stand there.
"""

import logging
import re
import time

from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, transaction

from postroad.foundation.storage.models import Blob
from postroad.foundation.storage.stores import of_mark

log = logging.getLogger("postroad.storage")

GRACE = 7 * 86_400.0
"""Seconds; longer than anything is under way between being kept and being referred to."""
BATCH = 500
"""Contents of one transaction."""

_KEY = re.compile(rb"[0-9a-f]{64}")


def collect(grace: float = GRACE) -> int:
    """Forget what nobody refers to and was not kept again for `grace` seconds; how many contents that were."""
    cutoff = time.time() - grace
    forgotten, last = 0, ""
    while True:
        rows = Blob.objects.filter(created_at__lt=cutoff, key__gt=last).order_by("key")
        keys = list(rows.values_list("key", flat=True)[:BATCH])
        if not keys:
            return forgotten
        last = keys[-1]
        try:
            forgotten += _forget(keys, cutoff)
        except OperationalError as error:
            # Somebody kept one of them anew in the same moment; they are looked at again another day.
            log.info("left %d contents for the next time: %s", len(keys), error)


@transaction.atomic
def _forget(keys: list[str], cutoff: float) -> int:
    """Forget those of these contents that no row names, as of one moment.

    Who keeps a content writes its row first: it waits for us and then finds no row, or we fail on the changed row.
    What lies outside goes before we are done, so that nobody finds it and relies on it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    rows = Blob.objects.filter(key__in=_without_referrers(keys), created_at__lt=cutoff).order_by("key")
    found = dict(rows.values_list("key", "codec"))
    Blob.objects.filter(key__in=list(found)).delete()
    for mark in {codec[:2] for codec in found.values() if codec[1:2] == ":"}:
        of_mark(mark).delete([key for key, codec in found.items() if codec.startswith(mark)])
    return len(found)


def _without_referrers(keys: list[str]) -> set[str]:
    left = set(keys)
    for label, field in settings.ROWS_THAT_NAME_CONTENTS:
        rows = apps.get_model(label)._default_manager.filter(**{f"{field}__in": left})
        left -= set(rows.values_list(field, flat=True))
    if not left:
        # The common case, an archive's mails: who else names them need not be read.
        return left
    for label, field in settings.ROWS_THAT_HOLD_ENVELOPES:
        for envelope in apps.get_model(label)._default_manager.values_list(field, flat=True).iterator(chunk_size=1000):
            left -= {key.decode() for key in _KEY.findall(bytes(envelope))}
    return left
