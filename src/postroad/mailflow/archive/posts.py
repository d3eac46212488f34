"""Mails as pages show them: who wrote, what stands in them, what they answer."""

import functools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive import addresses
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.plain import hidden_address
from postroad.mailflow.archive.render import Content, RenderedMails, content_of

DEEPEST = 5
"""Steps that a reply is set in; deeper ones stand as deep as these."""
HUES = 8

_rendered = RenderedMails()


@dataclass(frozen=True, slots=True)
class Person:
    """An author, with the two letters and the colour that stand for a picture. Nobody else is asked for one."""

    name: str
    initials: str
    hue: int


@dataclass(frozen=True, slots=True)
class Post:
    """A mail on a page."""

    mail: Mail
    person: Person
    depth: int
    content: Content
    answers: Mail | None = None
    """What it replies to, where that is on the same page and not the mail before."""
    my_vote: int = 0

    @property
    def answers_name(self) -> str:
        """Who wrote what this replies to."""
        return author(self.answers).name if self.answers else ""


@functools.lru_cache(maxsize=1000)
def person(name: str, email: str = "") -> Person:
    """Whom a mail is by, without a whole address for harvesters."""
    shown = hidden_address(name or email) or "unknown"
    words = [word for word in shown.replace("(", " ").split() if word[0].isalnum()] or ["?"]
    letters = words[0][0] + (words[-1][0] if len(words) > 1 and words[0][0] < "\u2e80" else "")
    return Person(shown, letters.upper(), zlib.crc32((name or email).lower().encode()) % HUES)


def author(mail: Mail) -> Person:
    """Whom a mail is by."""
    return person(mail.sender_name, mail.sender_email)


def posts(
    list_id: str,
    mails: Sequence[Mail],
    depths: Mapping[int, int],
    votes: Mapping[int, int],
    *,
    obscure: bool,
    markdown: bool,
) -> list[Post]:
    """Mails of one list with their contents; those not rendered lately are loaded by one query."""
    here = addresses.of_list(list_id)
    where = [addresses.of_mail(here, mail.message_id_hash) for mail in mails]
    look = {"obscure": obscure, "markdown": markdown}
    contents = [_rendered.get(mail.message, page, **look) for mail, page in zip(mails, where, strict=True)]
    missing = {mail.message for mail, content in zip(mails, contents, strict=True) if content is None}
    raws = storage.load_many(missing) if missing else {}
    by_key = {mail.id: mail for mail in mails}
    shown: list[Post] = []
    for mail, page, content in zip(mails, where, contents, strict=True):
        if content is None:
            content = content_of(raws.get(mail.message, b""), address=page, **look)
            if mail.message in raws:
                _rendered.put(mail.message, page, content, **look)
        answers = by_key.get(mail.parent_id) if mail.parent_id else None
        if shown and answers is shown[-1].mail:
            answers = None
        depth = min(depths.get(mail.id, 0), DEEPEST)
        shown.append(Post(mail, author(mail), depth, content, answers, votes.get(mail.id, 0)))
    return shown
