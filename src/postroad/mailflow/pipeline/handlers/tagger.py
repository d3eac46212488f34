"""Sorts a post by the list's topics, so that members get only those they chose (facts: mail-flow §12, tagger)."""

import re

from postroad.foundation.message.headers import Append
from postroad.foundation.message.mime import MimeTooComplex, first_text, walk
from postroad.foundation.patterns import compile_pattern, found
from postroad.mailflow.pipeline import settings
from postroad.mailflow.pipeline.draft import Draft

name = "tagger"

NO_TOPIC = ""
"""Stands for posts that fit no topic, among a member's choices too."""
_MOST_TEXT = 100_000
_LINE = re.compile(r"(?:subject|keywords)\s*:\s*(.*)", re.IGNORECASE)


def apply(draft: Draft) -> None:
    """Find the topics whose pattern fits Subject, Keywords or such lines on top of the text."""
    mailing_list = draft.mailing_list
    if not settings.topics_enabled.of(mailing_list):
        return
    texts = [draft.text_of("subject"), *draft.current("keywords"), *_lines_of_body(draft)]
    hits = list(
        dict.fromkeys(
            topic
            for topic, pattern in settings.topic_patterns(draft.mailing_list)
            if any(found(compile_pattern(pattern), text) for text in texts)
        )
    )
    draft.topics = tuple(hits) or (NO_TOPIC,)
    if hits:
        draft.edit(Append("X-Topics", ", ".join(hits)))


def _lines_of_body(draft: Draft) -> list[str]:
    """What Subject and Keywords lines say among the first lines of the text; a negative limit means all of it."""
    limit = settings.topics_bodylines_limit.of(draft.mailing_list)
    try:
        part = first_text(walk(draft.raw)) if limit else None
    except MimeTooComplex:
        part = None
    if part is None:
        return []
    lines = part.text(draft.raw)[:_MOST_TEXT].split("\n")
    return [match[1] for line in lines[: limit if limit > 0 else None] if (match := _LINE.match(line))]
