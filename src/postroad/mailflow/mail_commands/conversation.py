"""One mail with commands while it is obeyed: who speaks, how far that is believed, and what is to be answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from postroad.community.lists.models import MailingList
from postroad.community.notices.templates import expand, language_of
from postroad.community.people.queries import find_address
from postroad.community.people.queries import language_of as language_of_address
from postroad.community.subscriptions import queries
from postroad.community.subscriptions.consent import Origin
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.rights import moderates_by_mail
from postroad.foundation.authentication.author import is_authentic
from postroad.foundation.authentication.results import trusted_results
from postroad.foundation.catalogs import translator
from postroad.foundation.configuration import current
from postroad.foundation.errors import PostroadError
from postroad.foundation.message.addresses import identity, parse_addresses
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.mail_commands import refusals

_SLICE = Path(__file__).parent


class Result(NamedTuple):
    """One piece of the answer; a `fixed` one holds nothing that the sender wrote."""

    text: str
    fixed: bool
    obeyed: bool


@dataclass
class Conversation:
    """A mail, its sender, and what has come of its commands so far."""

    mailing_list: MailingList
    envelope: Envelope
    headers: Headers
    raw: bytes
    results: list[Result] = field(default_factory=list)
    unprocessed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    ended: bool = False
    is_answered: bool = False
    """A mail of its own, such as a question to confirm, is on its way to the sender already."""

    @cached_property
    def sender(self) -> str:
        """The one author's address in lower case; empty where From names none or several."""
        authors = parse_addresses(self.headers.get_all("from")[:2])
        return identity(authors[0].email) if len(authors) == 1 else ""

    @cached_property
    def name(self) -> str:
        """What the author calls himself."""
        authors = parse_addresses(self.headers.get_all("from")[:1])
        return authors[0].display_name if authors else ""

    @cached_property
    def member(self) -> Member | None:
        """The sender's own membership."""
        return queries.member_of(self.mailing_list, self.sender) if self.sender else None

    @cached_property
    def is_moderator(self) -> bool:
        """Whether the sender's address is one of somebody who may moderate the list."""
        return bool(self.sender) and moderates_by_mail(self.sender, self.mailing_list.pk)

    @cached_property
    def is_authentic(self) -> bool:
        """Whether the author's domain vouches for the mail (RFC 6376, RFC 7208)."""
        return is_authentic(self.raw, self.headers)

    @cached_property
    def is_forged(self) -> bool:
        """Whether our own MTA found that the author's domain disowns it (RFC 9989)."""
        trusted = current().mail.trusted_authserv_ids
        results = trusted_results(self.headers.get_all("authentication-results"), trusted) if trusted else []
        return any(result.method == "dmarc" and result.result == "fail" for result in results)

    @cached_property
    def is_stranger(self) -> bool:
        """Neither vouched for, nor an address whose owner ever showed to read its mail here."""
        if self.member is not None or self.is_moderator:
            return False
        address = find_address(self.sender)
        return not (address is not None and address.verified_on is not None) and not self.is_authentic

    @cached_property
    def origin(self) -> Origin:
        """What shows who asked."""
        return Origin("mail", f"{self.envelope.message_id} from {self.envelope.sender}")

    @cached_property
    def language(self) -> str:
        """The sender's, else the list's."""
        return language_of_address(self.sender) or language_of(self.mailing_list)

    def say(
        self, text: str, values: Mapping[str, str] | None = None, *, fixed: bool = False, obeyed: bool = True
    ) -> None:
        """Add to the answer, in the sender's language; `$variables` are filled from `values`."""
        translated = translator(_SLICE, self.language)(text)
        self.results.append(Result(expand(translated, values or {}), fixed, obeyed))

    def refuse(self, command: str, error: PostroadError) -> None:
        """Add why a command was not obeyed; its name stands before, where that says which one it was."""
        text = refusals.told(str(error), self.language)
        self.results.append(Result(f"{command}: {text}" if command else text, fixed=False, obeyed=False))

    def translated(self, text: str) -> str:
        """One of this slice's texts in the sender's language."""
        return translator(_SLICE, self.language)(text)
