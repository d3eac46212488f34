"""Which handlers make which mail ready, in which order; read it from top to bottom."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from postroad.mailflow.pipeline import settings
from postroad.mailflow.pipeline.draft import Draft
from postroad.mailflow.pipeline.handlers import (
    cleanse,
    cleanse_dkim,
    cook_headers,
    decorate,
    dmarc,
    duplicates,
    link_attachments,
    list_headers,
    mime_delete,
    personalize,
    reply_to,
    spare_signatures,
    subject_prefix,
    tagger,
)

Handler = Callable[[Draft], None]


class Pipeline(NamedTuple):
    """Handlers in order: what everybody gets, archive and digest too; then what only the members' copies get.

    Archivers of others get what everybody gets, with the list's fields, as `archivers` says.
    """

    everybody: tuple[Handler, ...]
    copies: tuple[Handler, ...]
    archivers: tuple[Handler, ...] = ()


POSTING = Pipeline(
    everybody=(
        mime_delete.apply,
        tagger.apply,
        duplicates.apply,
        cleanse.apply,
    ),
    copies=(
        link_attachments.apply,
        cleanse_dkim.apply,
        cook_headers.apply,
        reply_to.apply,
        subject_prefix.apply,
        personalize.apply,
        list_headers.apply,
        decorate.apply,
        dmarc.apply,
    ),
    archivers=(
        cook_headers.apply,
        reply_to.apply,
        subject_prefix.apply,
        list_headers.apply,
    ),
)

TRANSPARENT = Pipeline(
    everybody=POSTING.everybody,
    copies=(
        cook_headers.apply,
        list_headers.apply,
        spare_signatures.apply,
        dmarc.apply,
    ),
    archivers=(
        cook_headers.apply,
        list_headers.apply,
    ),
)
"""Nothing that the author's signature covers is touched; when it cannot be helped, From is rewritten as ever."""

OWNER = Pipeline(everybody=(), copies=(cleanse_dkim.apply, cook_headers.apply_hash))
"""Mail of others to the owners: they are no subscribers, so nothing of the list is added."""

VIRGIN = Pipeline(everybody=(), copies=(cook_headers.apply, list_headers.apply))

PIPELINES: Mapping[str, Pipeline] = MappingProxyType(
    {
        "default-posting-pipeline": POSTING,
        "default-owner-pipeline": OWNER,
        "virgin": VIRGIN,
    }
)


def pipeline_of(draft: Draft) -> Pipeline:
    """The pipeline for a mail of this kind on this list."""
    if draft.envelope.kind == "owner":
        return VIRGIN if draft.envelope.reduced_list_headers else OWNER
    if draft.envelope.kind != "posting":
        return VIRGIN
    pipeline = PIPELINES.get(settings.posting_pipeline.of(draft.mailing_list), POSTING)
    return TRANSPARENT if pipeline is POSTING and settings.transparent.of(draft.mailing_list) else pipeline
