"""Mails as pages show them: who wrote, what stands in them, what they answer."""

import functools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive import addresses
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.plain import hidden_address
from postroad.mailflow.archive.render import Content, RenderedMails, contents_of

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
    by_key = {mail.id: mail for mail in mails}
    shown: list[Post] = []
    for mail, content in zip(mails, _contents(list_id, mails, obscure=obscure, markdown=markdown), strict=True):
        answers = by_key.get(mail.parent_id) if mail.parent_id else None
        if shown and answers is shown[-1].mail:
            answers = None
        depth = min(depths.get(mail.id, 0), DEEPEST)
        shown.append(Post(mail, author(mail), depth, content, answers, votes.get(mail.id, 0)))
    return shown


def _contents(list_id: str, mails: Sequence[Mail], *, obscure: bool, markdown: bool) -> list[Content]:
    here = addresses.of_list(list_id)
    wanted = [(mail.message, addresses.of_mail(here, mail.message_id_hash)) for mail in mails]
    found = {
        one: content
        for one in wanted
        if (content := _rendered.get(*one, obscure=obscure, markdown=markdown)) is not None
    }
    missing = [one for one in wanted if one not in found]
    raws = storage.load_many({message for message, _ in missing})
    made = contents_of(
        [(raws.get(message, b""), page) for message, page in missing], obscure=obscure, markdown=markdown
    )
    for one, content in zip(missing, made, strict=True):
        found[one] = content
        if one[0] in raws:
            _rendered.put(*one, content, obscure=obscure, markdown=markdown)
    return [found[one] for one in wanted]
