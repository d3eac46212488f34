"""Splices the personal copies of a chunk, just in time: envelope sender, slots, bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.tokens import return_path, today, unsubscribe_token
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import format_address
from postroad.foundation.message.segments import Template, decode
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.delivery.chunks import Recipient
from postroad.mailflow.delivery.relay import Copy

RECIPIENTS_OF_A_BULK_COPY = 100
"""RFC 5321 §4.5.3.1.8: a server must take 100 recipients; more is not certain."""


@dataclass(slots=True)
class Source:
    """A dispatch ready to be copied: its template, its list, and what all its copies share."""

    envelope: Envelope
    template: Template
    mailing_list: MailingList | None
    day: int = field(default_factory=today)
    common: dict[str, str] = field(default_factory=dict)
    base: str = ""

    @classmethod
    def load(cls, envelope: Envelope, template: bytes) -> "Source":
        """Decode the template and look the list up once."""
        mailing_list = MailingList.objects.select_related("domain").filter(list_id=envelope.list_id).first()
        base = current().site.base_url
        if mailing_list is not None and mailing_list.domain.base_url:
            base = mailing_list.domain.base_url.rstrip("/")
        return cls(envelope, decode(template), mailing_list, base=base)

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


def personal(source: Source, recipients: list[tuple[int, Recipient]], key: int) -> Iterator[Copy]:
    """One transaction for each recipient (index in its chunk, recipient); keys are `key` + index."""
    template = source.template
    if not template.slots:
        data = template.render({})
        for index, recipient in recipients:
            yield Copy(key + index, source.sender_for(recipient.email), (recipient.email,), data)
        return
    for index, recipient in recipients:
        yield Copy(
            key + index, source.sender_for(recipient.email), (recipient.email,),
            template.render(source.values_for(recipient)),
        )  # fmt: skip


def bulk(source: Source, recipients: list[tuple[int, Recipient]], key: int) -> Iterator[tuple[Copy, list[int]]]:
    """Transactions of many recipients, with the chunk's index of each; keys are `key` + the first index."""
    data = source.template.render(dict.fromkeys(source.template.slots, ""))
    for start in range(0, len(recipients), RECIPIENTS_OF_A_BULK_COPY):
        part = recipients[start : start + RECIPIENTS_OF_A_BULK_COPY]
        addresses = tuple(recipient.email for _, recipient in part)
        yield Copy(key + part[0][0], source.sender_for(""), addresses, data), [index for index, _ in part]
