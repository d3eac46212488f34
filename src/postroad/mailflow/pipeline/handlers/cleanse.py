"""Takes away what must not go on: passwords, receipts asked for, and on an anonymous list whoever wrote."""

import re

from postroad.community.lists import settings
from postroad.foundation.message.addresses import format_address
from postroad.foundation.message.headers import Remove, Replace
from postroad.foundation.message.message_id import new_message_id
from postroad.mailflow.pipeline.draft import Draft

name = "cleanse"

_SECRETS = ("Approved", "Approve", "X-Approved", "X-Approve", "Urgent")
_RECEIPTS = ("Return-Receipt-To", "Disposition-Notification-To", "X-Confirm-Reading-To", "X-PMRQC", "Archived-At")
_TRACES = (
    "From", "Reply-To", "Sender", "Organization", "Return-Path", "X-Originating-Email", "Received", "Message-ID",
    "X-MailFrom", "X-Envelope-From",
)  # fmt: skip
_KEPT = re.compile(r"x-(mailman-|content-filtered-by|topics|ack|beenthere|list-administrivia|spam-)", re.IGNORECASE)


def apply(draft: Draft) -> None:
    """Remove secrets and receipts; on an anonymous list every trace of the author."""
    draft.edit(*(Remove(field) for field in _SECRETS if field in draft.headers))
    if settings.anonymous_list.of(draft.mailing_list):
        _anonymise(draft)
    draft.edit(*(Remove(field) for field in _RECEIPTS if field in draft.headers))


def _anonymise(draft: Draft) -> None:
    mailing_list = draft.mailing_list
    posting = mailing_list.fqdn_listname
    draft.edit(*(Remove(field) for field in _TRACES))
    personal = {f.name for f in draft.headers if f.name.lower().startswith("x-") and not _KEPT.match(f.name)}
    draft.edit(*(Remove(field) for field in sorted(personal)))
    draft.edit(
        Replace("Message-ID", f"<{new_message_id(mailing_list.mail_host)}>"),
        Replace("From", format_address(settings.description.of(mailing_list), posting)),
        Replace("Reply-To", posting),
    )
