"""Splices and signs the personal copies of a chunk, just in time: envelope sender, slots, bytes, signature."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import list_of_mail
from postroad.community.subscriptions.tokens import return_path, today, unsubscribe_token
from postroad.foundation.authentication.keys import PrivateKey
from postroad.foundation.authentication.signing import Sealer, Signer
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import (
    domain_to_ascii,
    format_address,
    needs_smtputf8,
    parse_addresses,
    with_ascii_domain,
)
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.segments import Template, decode
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.delivery.chunks import Recipient
from postroad.mailflow.delivery.downgrade import ascii_header, is_international, seven_bit
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
    _variants: dict[tuple[bool, bool], Variant] = field(default_factory=dict)

    @classmethod
    def load(cls, envelope: Envelope, template: bytes) -> "Source":
        """Decode the template, and look the list and the keys of its domain up once.

        Raises:
            ConfigurationError: a key cannot be read on this host.
        """
        mailing_list = list_of_mail(envelope.list_id)
        base = current().site.base_url
        if mailing_list is not None and mailing_list.domain.base_url:
            base = mailing_list.domain.base_url.rstrip("/")
        decoded = decode(template)
        keys = in_use(_signing_domains(envelope, decoded, mailing_list)) if current().dkim.sign else ()
        return cls(envelope, decoded, mailing_list, keys, base=base)

    def variant_for(self, features: Features, *, utf8: bool) -> Variant:
        """The mail as a relay of these features takes it for readers whose host knows SMTPUTF8, or for all others.

        That a host knows it is proved by a reader's own address; where it is not known the header is made ASCII, so
        that an author's address keeps nobody from getting the mail (RFC 6530 §8). Each variant is made once.
        """
        key = features.eight_bit, utf8 and features.smtputf8
        if key not in self._variants:
            template = self._template_for(*key)
            self._variants[key] = Variant(template, self._signers_of(template))
        return self._variants[key]

    def _template_for(self, eight_bit: bool, utf8: bool) -> Template:
        template = self.template
        if not utf8 and (not eight_bit or is_international(template)):
            stand_in = self.mailing_list.fqdn_listname if self.mailing_list is not None else current().site.owner
            template = ascii_header(template, stand_in)
        return template if eight_bit else seven_bit(template)

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
            "to_header": lambda: format_address(name, with_ascii_domain(email)),
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
        variant = source.variant_for(features, utf8=needs_smtputf8(recipient.email))
        return variant.render(source.values_for(recipient))

    return make


def bulk(source: Source, recipients: list[tuple[int, Recipient]], key: int) -> Iterator[tuple[Copy, list[int]]]:
    """Transactions of many recipients, with the chunk's index of each; keys are `key` + the first index."""
    nothing = dict.fromkeys(source.template.slots, "")
    for utf8 in (False, True):
        of_kind = [place for place in recipients if needs_smtputf8(place[1].email) is utf8]

        @functools.cache
        def make(features: Features, *, utf8: bool = utf8) -> bytes:
            return source.variant_for(features, utf8=utf8).render(nothing)

        for start in range(0, len(of_kind), RECIPIENTS_OF_A_BULK_COPY):
            part = of_kind[start : start + RECIPIENTS_OF_A_BULK_COPY]
            addresses = tuple(recipient.email for _, recipient in part)
            yield Copy(key + part[0][0], source.sender_for(""), addresses, make), [index for index, _ in part]
