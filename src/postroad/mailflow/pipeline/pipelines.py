"""Which handlers make which mail ready, in which order; read it from top to bottom."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from postroad.mailflow.pipeline.draft import Draft
from postroad.mailflow.pipeline.handlers import (
    cleanse,
    cleanse_dkim,
    cook_headers,
    decorate,
    dmarc,
    duplicates,
    list_headers,
    mime_delete,
    subject_prefix,
)

Handler = Callable[[Draft], None]

POSTING: tuple[Handler, ...] = (
    mime_delete.apply,
    duplicates.apply,
    cleanse.apply,
    cleanse_dkim.apply,
    cook_headers.apply,
    subject_prefix.apply,
    list_headers.apply,
    decorate.apply,
)
"""A post; the archive and the digest get it here, and what follows is for the members' copies only."""

POSTING_COPIES: tuple[Handler, ...] = (dmarc.apply,)

OWNER: tuple[Handler, ...] = (cleanse_dkim.apply, cook_headers.apply)

VIRGIN: tuple[Handler, ...] = (cook_headers.apply, list_headers.apply)

PIPELINES: Mapping[str, tuple[Handler, ...]] = MappingProxyType(
    {
        "default-posting-pipeline": POSTING,
        "default-owner-pipeline": OWNER,
        "virgin": VIRGIN,
    }
)
