"""What a digest shows of each post: read once, and never failing, whatever the mail is."""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from postroad.community.lists import settings as lists
from postroad.community.lists.archivers import keeps_own
from postroad.community.lists.models import MailingList
from postroad.community.notices.templates import base_url, language_of
from postroad.foundation.errors import NotFound
from postroad.foundation.message.addresses import parse_addresses
from postroad.foundation.message.archiving import may_be_archived
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.html_text import html_to_text
from postroad.foundation.message.lines import with_crlf
from postroad.foundation.message.message_id import date_of, message_id_hash, references_of
from postroad.foundation.message.mime import MimeTooComplex, Part, walk
from postroad.foundation.storage import actions as storage
from postroad.mailflow.digests import words
from postroad.mailflow.digests.models import Post
from postroad.mailflow.digests.words import say

log = logging.getLogger("postroad.digests")

LONGEST_TEXT = 100_000
"""Characters of one post; the archive has all of it."""
LONGEST_SUBJECT = 300
_READ_AT_ONCE = 50

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")


@dataclass(slots=True)
class Item:
    """One post as the digest's formats see it."""

    number: int
    message_id: str
    raw: bytes = b""
    headers: Headers = field(default_factory=lambda: Headers.parse(b""))
    subject: str = ""
    author: str = ""
    written: datetime | None = None
    references: list[str] = field(default_factory=list)
    text: str = ""
    notes: list[str] = field(default_factory=list)
    """What cannot be shown as text, a line for each."""
    problem: str = ""
    """Why the post is not shown as it is; empty for most."""
    permalink: str = ""
    """Where the archive shows it; empty when it does not."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """What reading the posts of one list needs to know."""

    language: str
    prefix: re.Pattern[str] | None
    archive: str

    def item(self, number: int, post: Post, raw: bytes | None) -> Item:
        item = Item(number, post.message_id, subject=say(words.NO_SUBJECT, self.language))
        if raw is None:
            item.problem = say(words.LOST, self.language)
            return item
        try:
            self._fill(item, with_crlf(raw))
        except Exception:
            # Here and nowhere else in a stage: a mail that nobody foresaw must not keep the others from their readers.
            log.exception("a post cannot be read for a digest: %s", post.message_id)
            item.raw, item.problem = b"", say(words.BROKEN, self.language)
        return item

    def _fill(self, item: Item, raw: bytes) -> None:
        item.headers = headers = Headers.parse(raw)
        item.raw, item.references, item.written = raw, references_of(headers), date_of(headers)
        item.subject = self._subject(headers) or item.subject
        item.author = _author(headers) or say(words.NO_AUTHOR, self.language)
        if self.archive and may_be_archived(headers):
            item.permalink = f"{self.archive}/message/{message_id_hash(item.message_id)}/"
        try:
            root = walk(raw)
        except MimeTooComplex:
            item.problem = say(words.TOO_COMPLEX, self.language)
            return
        texts = list(self._texts(root, raw, item.notes))
        text = "\n\n".join(part for part in texts if part)
        if len(text) > LONGEST_TEXT:
            text = text[:LONGEST_TEXT]
            item.notes.insert(0, say(words.CUT, self.language))
        item.text = text

    def _subject(self, headers: Headers) -> str:
        subject = _clean(decode_words(headers.get("subject") or ""))[:LONGEST_SUBJECT]
        return self.prefix.sub("", subject).strip() if self.prefix else subject

    def _texts(self, root: Part, raw: bytes, notes: list[str]) -> Iterator[str]:
        """The texts of a mail in order; what is no text is noted."""
        for part in _chosen(root):
            kind = part.content_type
            is_inline = part.disposition != "attachment" and not part.filename
            if kind == "message/rfc822" and part.children:
                subject = part.children[0].headers.get("subject") or ""
                shown = _clean(decode_words(subject))[:LONGEST_SUBJECT] or say(words.NO_SUBJECT, self.language)
                yield f"[{say(words.FORWARDED, self.language, subject=shown)}]"
            elif kind == "text/plain" and is_inline:
                yield _tidy(part.text(raw))
            elif kind == "text/html" and is_inline:
                yield _tidy(html_to_text(part.text(raw)))
            elif kind not in _SIGNATURES and part.end > part.body:
                notes.append(self._note(part))

    def _note(self, part: Part) -> str:
        octets = part.end - part.body
        if part.encoding == "base64":
            octets = octets * 3 // 4
        size = f"{octets} B" if octets < 1024 else f"{octets // 1024} KB"
        name = _clean(part.filename)[:100] or say(words.NO_NAME, self.language)
        return say(words.ATTACHED, self.language, name=name, type=_clean(part.content_type)[:60], size=size)


def _chosen(root: Part) -> Iterator[Part]:
    """The parts to be looked at, in order: of alternatives the plainest that is text (RFC 2046 §5.1.4)."""
    stack = [root]
    while stack:
        part = stack.pop()
        if part.content_type == "multipart/alternative" and part.children:
            plain = (child for child in part.children if any(p.content_type == "text/plain" for p in child.walk()))
            stack.append(next(plain, part.children[-1]))
        elif part.children:
            if part.content_type == "message/rfc822":
                yield part
            stack.extend(reversed(part.children))
        else:
            yield part


def _clean(text: str) -> str:
    """On one line, without control characters."""
    return " ".join(_UNREADABLE.sub("", text).split())


def _tidy(text: str) -> str:
    return _UNREADABLE.sub("", text[: 2 * LONGEST_TEXT]).rstrip().lstrip("\n")


def _author(headers: Headers) -> str:
    for address in parse_addresses(headers.get_all("from")):
        return _clean(address.display_name) or address.email
    return ""


def _prefix_of(mailing_list: MailingList) -> re.Pattern[str] | None:
    """Finds the list's prefix anywhere in a subject, with whatever number it has."""
    prefix = lists.subject_prefix.of(mailing_list).strip()
    if not prefix:
        return None
    before, number, after = re.split(r"(%0?\d{0,2}d|$)", prefix, maxsplit=1)
    digits = r"\s*\d+\s*" if number else ""
    return re.compile(rf"{re.escape(before)}{digits}{re.escape(after)}\s*", re.IGNORECASE)


def _stored(keys: set[str]) -> dict[str, bytes]:
    """What is kept under these keys; where one is lost, the others all the same."""
    try:
        return storage.load_many(keys)
    except NotFound:
        found = {}
        for key in keys:
            with suppress(NotFound):
                found[key] = storage.load(key)
        return found


def items_of(mailing_list: MailingList, posts: Iterable[Post]) -> Iterator[Item]:
    """The posts of a list as a digest shows them, numbered from 1."""
    has_archive = keeps_own(mailing_list)
    archive = f"{base_url(mailing_list)}/lists/{mailing_list.list_id}" if has_archive else ""
    reader = _Reader(language_of(mailing_list), _prefix_of(mailing_list), archive)
    numbered = enumerate(posts, 1)
    while batch := list(islice(numbered, _READ_AT_ONCE)):
        stored = _stored({post.message for _, post in batch})
        for number, post in batch:
            yield reader.item(number, post, stored.get(post.message))
