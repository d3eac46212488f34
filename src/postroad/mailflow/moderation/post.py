"""A post as the rules see it: parsed when they ask, at most once."""

from functools import cached_property
from typing import Literal

from postroad.community.bans import queries as bans
from postroad.community.lists.models import MailingList
from postroad.community.notices.limits import may_answer
from postroad.community.subscriptions import queries as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.senders import sender_member
from postroad.foundation.authentication.arc import Status, results_of, status_of
from postroad.foundation.authentication.author import is_authentic
from postroad.foundation.authentication.dns import NoReply
from postroad.foundation.authentication.verifying import Mail
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import identity, is_valid_email, parse_addresses
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.mime import MimeTooComplex, Part, first_text, walk
from postroad.foundation.queue import memory
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.moderation import settings

MOST_SENDERS = 100
LONGEST_TEXT = 200_000
"""Characters of a text part that rules look at."""


class Post:
    """One mail for one list. Rules read it; the fields set in `__init__` are what they note for the stages behind."""

    def __init__(self, mailing_list: MailingList, envelope: Envelope, raw: bytes) -> None:
        self.mailing_list = mailing_list
        self.envelope = envelope
        self.raw = raw
        self.headers = Headers.parse(raw)
        self.hits: list[str] = []
        """Names of the rules that hit so far."""
        self.moderation_action = ""
        """What the membership, or the list, asked to do with the sender's posts."""
        self.dmarc = False
        """Whether From must be rewritten, or the post wrapped."""
        self.has_approved = False
        self.new_raw: bytes | None = None
        """The mail without a moderator's password, where it carried one."""

    @cached_property
    def senders(self) -> list[str]:
        """Every address the mail may be from, lower-case: From, the envelope, Reply-To, Sender."""
        values = [
            *self.authors, identity(self.envelope.sender), *self.addresses("reply-to"), *self.addresses("sender"),
        ]  # fmt: skip
        return list(dict.fromkeys(value for value in values[:MOST_SENDERS] if is_valid_email(value)))

    @property
    def sender(self) -> str:
        """The first of them, or empty."""
        return self.senders[0] if self.senders else ""

    @cached_property
    def authors(self) -> list[str]:
        """The addresses in From, lower-case."""
        return self.addresses("from")[:MOST_SENDERS]

    @property
    def claimed(self) -> list[str]:
        """The senders whose rights count; where the list asks for proof, only From: there is none for other fields."""
        return self.authors if settings.authenticate_senders.of(self.mailing_list) else self.senders

    @cached_property
    def is_authentic(self) -> bool:
        """Whether the mail is by its one author: signed in when it was written here, or vouched for by the domain."""
        return self.authors == [self.envelope.signed_in] or is_authentic(self.raw, self.headers)

    @cached_property
    def arc(self) -> tuple[Status | Literal[""], str]:
        """The state of its ARC chain and what authentication says about it, to be sealed; nothing when DNS is away."""
        if not current().dkim.arc:
            return "", ""
        mail = Mail(self.raw, self.headers)
        try:
            return status_of(mail), results_of(mail, current().mail.trusted_authserv_ids)
        except NoReply:
            return "", ""

    @cached_property
    def may_be_answered(self) -> bool:
        """Whether an automatic answer to the sender can hurt nobody (RFC 3834 §2).

        No machine and no list is answered, and no stranger whose address may be forged (facts: security T3).
        """
        if self.envelope.from_usenet or not self.sender or not may_answer(self.headers, self.envelope.sender):
            return False
        if current().mail.answer_strangers or self.is_authentic:
            return True
        return sender_member(self.mailing_list, [self.sender]) is not None

    def addresses(self, *names: str) -> list[str]:
        """Lower-case addresses in these fields."""
        return [identity(a.email) for a in parse_addresses(v for name in names for v in self.headers.get_all(name))]

    def everywhere(self, field: str) -> list[str]:
        """The decoded values of a field in the mail and in all of its parts."""
        inner = (part.headers for part in self.root.walk() if part.depth) if self.root else ()
        return [decode_words(value) for headers in (self.headers, *inner) for value in headers.get_all(field)]

    @cached_property
    def subject(self) -> str:
        """The subject, decoded."""
        return decode_words(self.headers.get("subject") or "")

    @cached_property
    def root(self) -> Part | None:
        """The tree of parts; None when there are too many."""
        try:
            return walk(self.raw)
        except MimeTooComplex:
            return None

    @cached_property
    def text_parts(self) -> list[Part]:
        """The parts that people read."""
        leaves = (part for part in self.root.walk() if not part.children) if self.root else ()
        return [part for part in leaves if part.content_type.startswith("text/")]

    @cached_property
    def text_part(self) -> Part | None:
        """The first text/plain part."""
        return first_text(self.root) if self.root else None

    @cached_property
    def text(self) -> str:
        """The first text/plain part's text."""
        return self.text_part.text(self.raw)[:LONGEST_TEXT] if self.text_part else ""

    @cached_property
    def banned(self) -> str:
        """The first sender who is banned from the list or the site, or empty."""
        return bans.first_banned(self.senders, self.mailing_list)

    @cached_property
    def member(self) -> Member | None:
        """The member who wrote it, by any address that counts; looked up once for a batch."""
        mailing_list, claimed = self.mailing_list, self.claimed
        key = "member", mailing_list.pk, tuple(claimed)
        found = memory.once(key, lambda: sender_member(mailing_list, claimed))
        return found[0] if found else None

    @cached_property
    def nonmembers(self) -> dict[str, Member]:
        """Known nonmembers among the senders."""
        return subscriptions.nonmembers(self.mailing_list, self.claimed)
