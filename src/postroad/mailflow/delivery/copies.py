"""Splices and signs the personal copies of a chunk, just in time: envelope sender, slots, bytes, signature."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.tokens import return_path, today, unsubscribe_token
from postroad.foundation.authentication.keys import PrivateKey
from postroad.foundation.authentication.signing import Sealer, Signer
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import domain_to_ascii, format_address, parse_addresses
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.segments import Template, decode
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.delivery.chunks import Recipient
from postroad.mailflow.delivery.relay import Copy, Features
from postroad.mailflow.delivery.signing_keys import in_use

RECIPIENTS_OF_A_BULK_COPY = 100
"""RFC 5321 §4.5.3.1.8: a server must take 100 recipients; more is not certain."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A template as one kind of relay takes it, and what signs its copies."""

    template: Template
    signers: Sequence[Signer | Sealer]

    def render(self, values: Mapping[str, str]) -> bytes:
        """One copy, signed."""
        return b"".join([*(signer.fields(values) for signer in self.signers), self.template.render(values)])


@dataclass(slots=True)
class Source:
    """A dispatch ready to be copied: its template, its list, and what all its copies share."""

    envelope: Envelope
    template: Template
    mailing_list: MailingList | None
    keys: Sequence[PrivateKey] = ()
    day: int = field(default_factory=today)
    base: str = ""
    _variants: dict[Features, Variant] = field(default_factory=dict)

    @classmethod
    def load(cls, envelope: Envelope, template: bytes) -> "Source":
        """Decode the template, and look the list and the keys of its domain up once.

        Raises:
            ConfigurationError: a key cannot be read on this host.
        """
        mailing_list = MailingList.objects.select_related("domain").filter(list_id=envelope.list_id).first()
        base = current().site.base_url
        if mailing_list is not None and mailing_list.domain.base_url:
            base = mailing_list.domain.base_url.rstrip("/")
        decoded = decode(template)
        keys = in_use(_signing_domains(envelope, decoded, mailing_list)) if current().dkim.sign else ()
        return cls(envelope, decoded, mailing_list, keys, base=base)

    def variant_for(self, features: Features) -> Variant:
        """The template as a relay of these features takes it; made once for each kind of relay."""
        if features not in self._variants:
            self._variants[features] = Variant(self.template, self._signers_of(self.template))
        return self._variants[features]

    def _signers_of(self, template: Template) -> Sequence[Signer | Sealer]:
        """The domain's signature, and the seal of a post that was looked at when it came; with RSA, which all know."""
        now = time.time()
        signers: list[Signer | Sealer] = [Signer(template, self.keys, now)] if self.keys else []
        status, rsa = self.envelope.arc_status, [key for key in self.keys if key.algorithm == "rsa"]
        if status and rsa and current().dkim.arc:
            signers.append(Sealer(template, rsa[0], status, self.envelope.arc_results, now))
        return signers

    @property
    def return_path(self) -> str:
        """The envelope sender that is not personal."""
        if self.envelope.envelope_sender or self.mailing_list is None:
            return self.envelope.envelope_sender
        return self.mailing_list.address("bounces")

    def sender_for(self, email: str) -> str:
        """The keyed return path of one recipient's copy, or of a bulk copy when no email is given (design §8)."""
        path = self.return_path
        if self.mailing_list is None or self.envelope.kind == "notice" or not path:
            return path
        return return_path(path, self.mailing_list.pk, email if self.envelope.verp else "", self.day)

    def values_for(self, recipient: Recipient) -> dict[str, str]:
        """What fills the slots of one recipient's copy; only those the template has."""
        email, name = recipient.email, recipient.name
        makers: dict[str, Callable[[], str]] = {
            "user_email": lambda: email,
            "user_address": lambda: email,
            "user_delivered_to": lambda: email,
            "user_name": lambda: name,
            "user_name_or_email": lambda: name or email,
            "user_name_or_address": lambda: name or email,
            "user_language": lambda: current().site.language,
            "member": lambda: format_address(name, email),
            "to_header": lambda: format_address(name, email),
            "copy_header": lambda: "X-Mailman-Copy: yes\n" if recipient.copied else "",
            "unsubscribe_url": lambda: self._unsubscribe_url(recipient.member_id),
        }
        return {slot: makers[slot]() if slot in makers else "" for slot in self.template.slots}

    def _unsubscribe_url(self, member_id: int) -> str:
        if self.mailing_list is None:
            return self.base
        token = unsubscribe_token(self.mailing_list.pk, member_id)
        return f"{self.base}/lists/{self.mailing_list.list_id}/unsubscribe/{token}"


def _signing_domains(envelope: Envelope, template: Template, mailing_list: MailingList | None) -> list[str]:
    """Whose keys may sign, the best first: of our own mail the domain in From, which DMARC asks for; then the list's.

    An author's domain is not signed for, even if it is ours: nobody has proved here who the author is.
    """
    domains = []
    if mailing_list is None or envelope.kind in ("notice", "digest"):
        first = template.parts[0] if template.parts and isinstance(template.parts[0], bytes) else b""
        authors = parse_addresses(Headers.parse(first).get_all("from"))
        domains += [author.domain for author in authors[:1]]
    if mailing_list is not None:
        domains.append(mailing_list.mail_host)
    return [domain_to_ascii(domain) for domain in domains]


def personal(source: Source, recipients: list[tuple[int, Recipient]], key: int) -> Iterator[Copy]:
    """One transaction for each recipient (index in its chunk, recipient); keys are `key` + index."""
    for index, recipient in recipients:
        yield Copy(key + index, source.sender_for(recipient.email), (recipient.email,), _maker(source, recipient))


def _maker(source: Source, recipient: Recipient) -> Callable[[Features], bytes]:
    def make(features: Features) -> bytes:
        return source.variant_for(features).render(source.values_for(recipient))

    return make


def bulk(source: Source, recipients: list[tuple[int, Recipient]], key: int) -> Iterator[tuple[Copy, list[int]]]:
    """Transactions of many recipients, with the chunk's index of each; keys are `key` + the first index."""
    nothing = dict.fromkeys(source.template.slots, "")

    @functools.cache
    def make(features: Features) -> bytes:
        return source.variant_for(features).render(nothing)

    for start in range(0, len(recipients), RECIPIENTS_OF_A_BULK_COPY):
        part = recipients[start : start + RECIPIENTS_OF_A_BULK_COPY]
        addresses = tuple(recipient.email for _, recipient in part)
        yield Copy(key + part[0][0], source.sender_for(""), addresses, make), [index for index, _ in part]
