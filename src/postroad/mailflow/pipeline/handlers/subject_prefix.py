"""Puts the list's prefix on the subject, once, before a single `Re:`."""

import re

from postroad.community.lists import settings
from postroad.foundation.message.encoded_words import decode_words, encode_words
from postroad.foundation.message.headers import Replace
from postroad.mailflow.pipeline.draft import Draft

name = "subject-prefix"

NO_SUBJECT = "(no subject)"
_REPLY = re.compile(r"^(?:\s*(?:re|aw|sv|vs)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_NUMBER = re.compile(r"%(0?)(\d{0,2})d")


def apply(draft: Draft) -> None:
    """Prefix, `Re: `, rest (facts: mail-flow §12, subject-prefix)."""
    draft.original_subject = draft.text_of("subject")
    draft.stripped_subject = draft.original_subject
    prefix = settings.subject_prefix.of(draft.mailing_list)
    if draft.is_own or not prefix.strip():
        return
    subject = " ".join(draft.original_subject.split()) if "\n" in draft.original_subject else draft.original_subject
    subject = _without(prefix, subject).strip()
    reply = _REPLY.match(subject)
    rest = subject[reply.end() :].strip() if reply else subject
    draft.stripped_subject = f"{'Re: ' if reply else ''}{rest}"
    if not rest:
        rest = NO_SUBJECT
    text = f"{_numbered(prefix, draft.mailing_list.post_id)}{'Re: ' if reply else ''}{rest}"
    clean = re.sub(r"[\r\n\0]+", " ", decode_words(text) if "=?" in text else text)
    draft.edit(Replace("Subject", encode_words(clean)))


def _without(prefix: str, subject: str) -> str:
    """The subject without the prefixes it carries; a numbered one is known with any number."""
    bare = prefix.strip()
    pattern = re.escape(bare)
    pattern = re.sub(r"%(?:0?\\?\d{0,2})d", lambda _: r"\\s*\\d+\\s*", pattern)
    return re.sub(rf"{pattern}\s*", "", subject)


def _numbered(prefix: str, number: int) -> str:
    """The prefix with the post's number in it; a stray percent sign stays what it is."""
    match = _NUMBER.search(prefix)
    if match is None:
        return prefix
    width = int(match[2] or 0)
    digits = str(number).rjust(width, "0" if match[1] else " ")
    return prefix[: match.start()] + digits + prefix[match.end() :]
