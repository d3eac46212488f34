"""A post as the rules see it: parsed when they ask, at most once."""

from functools import cached_property

from postroad.community.lists.models import MailingList
from postroad.community.people.models import Address
from postroad.community.subscriptions import queries as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.foundation.message.addresses import is_valid_email, parse_addresses
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.mime import MimeTooComplex, Part, walk
from postroad.foundation.queue.envelope import Envelope

LARGEST_HEADER = 1_000_000
"""Octets of header that are looked at; a mail with more is held by `too-complex`."""


class Post:
    """One mail for one list. Rules read it and change nothing, but `dmarc` and `approved` notes for later stages."""

    def __init__(self, mailing_list: MailingList, envelope: Envelope, raw: bytes) -> None:
        self.mailing_list = mailing_list
        self.envelope = envelope
        self.raw = raw
        self.headers = Headers.parse(raw if len(raw) <= LARGEST_HEADER else _cut(raw))
        self.hits: list[str] = []
        self.dmarc = False
        self.has_approved = False
        self.new_raw: bytes | None = None
        """The mail without a moderator's password, where it carried one."""

    @cached_property
    def senders(self) -> list[str]:
        """Every address the mail may be from, lower-case: From, the envelope, Reply-To, Sender."""
        values = [
            *self.addresses("from"), self.envelope.sender.lower(),
            *self.addresses("reply-to"), *self.addresses("sender"),
        ]  # fmt: skip
        return list(dict.fromkeys(value for value in values[:100] if is_valid_email(value)))

    @property
    def sender(self) -> str:
        """The first of them, or empty."""
        return self.senders[0] if self.senders else ""

    def addresses(self, *names: str) -> list[str]:
        """Lower-case addresses in these fields."""
        return [a.email.lower() for a in parse_addresses(v for name in names for v in self.headers.get_all(name))]

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
    def text(self) -> str:
        """The first text/plain part."""
        for part in self.root.walk() if self.root else ():
            if part.content_type == "text/plain" and not part.children:
                return part.text(self.raw)[:200_000]
        return ""

    @cached_property
    def member(self) -> Member | None:
        """The member who wrote it, by any sender address."""
        found = subscriptions.sender_member(self.mailing_list, self.senders)
        return found[0] if found else None

    @cached_property
    def nonmembers(self) -> dict[str, Member]:
        """Known nonmembers among the senders."""
        return subscriptions.nonmembers(self.mailing_list, self.senders)

    @cached_property
    def known(self) -> set[str]:
        """Which senders have an address record at all."""
        return set(Address.objects.filter(email__in=self.senders).values_list("email", flat=True))


def _cut(raw: bytes) -> bytes:
    """The beginning of a big mail, as far as headers can reach."""
    end = min((i for i in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if i >= 0), default=len(raw))
    return raw[: min(end + 4, LARGEST_HEADER)]
