"""Puts the list's prefix on the subject, once, before a single `Re:`."""

import functools
import re

from postroad.community.lists import settings
from postroad.foundation.message.encoded_words import encode_words
from postroad.foundation.message.headers import Replace
from postroad.mailflow.pipeline.draft import Draft
from postroad.mailflow.pipeline.words import say

name = "subject-prefix"

NO_SUBJECT = "(no subject)"
_REPLY = re.compile(r"(?:re|aw|sv|vs|回复|回覆|答复)\s*(?:\[\d+\])?\s*[::]\s*", re.IGNORECASE)
_NUMBER = re.compile(r"%(0?)(\d{0,2})d")


def apply(draft: Draft) -> None:
    """Prefix, `Re: `, rest (facts: mail-flow §12, subject-prefix)."""
    subject = " ".join(re.sub(r"[\r\n\0]", " ", draft.text_of("subject")).split())
    draft.original_subject = subject
    prefix = settings.subject_prefix.of(draft.mailing_list)
    if draft.is_own or not prefix.strip():
        return
    answer, rest = _without(_marks(prefix.strip()), subject)
    text = f"{_numbered(prefix, draft.mailing_list.post_id)}{answer}{rest or say(draft.mailing_list, NO_SUBJECT)}"
    draft.edit(Replace("Subject", encode_words(text)))


@functools.lru_cache(maxsize=1024)
def _marks(prefix: str) -> re.Pattern[str]:
    """Finds the prefix at the beginning of a text; a numbered one is known with any number."""
    before, number, after = prefix, "", ""
    match = _NUMBER.search(prefix)
    if match is not None:
        before, number, after = prefix[: match.start()], r"\s*\d+\s*", prefix[match.end() :]
    return re.compile(rf"{re.escape(before)}{number}{re.escape(after)}\s*", re.IGNORECASE)


def _without(prefix: re.Pattern[str], subject: str) -> tuple[str, str]:
    """`Re: ` if the subject is an answer's, and the rest behind all the prefixes and answer marks it begins with."""
    answer, position = "", 0
    while True:
        mark = _REPLY.match(subject, position)
        found = mark or prefix.match(subject, position)
        if found is None or found.end() == position:
            return answer, subject[position:]
        answer = "Re: " if mark else answer
        position = found.end()


def _numbered(prefix: str, number: int) -> str:
    """The prefix with the post's number in it; a stray percent sign stays what it is."""
    match = _NUMBER.search(prefix)
    if match is None:
        return prefix
    width = int(match[2] or 0)
    digits = str(number).rjust(width, "0" if match[1] else " ")
    return prefix[: match.start()] + digits + prefix[match.end() :]
