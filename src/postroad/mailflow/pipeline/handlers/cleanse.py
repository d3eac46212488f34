"""Takes away what must not go on: passwords, receipts asked for, and on an anonymous list whoever wrote."""

import re

import msgspec

from postroad.community.lists import settings
from postroad.foundation.message.addresses import Address, format_address, identity, parse_addresses
from postroad.foundation.message.headers import Remove, Replace
from postroad.foundation.message.message_id import new_message_id
from postroad.mailflow.pipeline.draft import Draft

name = "cleanse"

SECRETS = ("Approved", "Approve", "X-Approved", "X-Approve", "Urgent", "Bcc")
_RECEIPTS = ("Return-Receipt-To", "Disposition-Notification-To", "X-Confirm-Reading-To", "X-PMRQC", "Archived-At")
# An anonymous list keeps only what is known to tell nothing: signatures, keys, relays and programs all name people.
_HARMLESS = re.compile(
    r"to|cc|subject|date|in-reply-to|references|mime-version|content-.*|keywords|precedence|auto-submitted|importance"
    r"|priority|x-loop"
    r"|x-(mailman-|content-filtered-by|topics|ack|beenthere|list-administrivia|spam-|no-archive|archive).*",
    re.IGNORECASE,
)


def apply(draft: Draft) -> None:
    """Remove secrets and receipts; on an anonymous list every trace of the author."""
    draft.edit(*(Remove(field) for field in (*SECRETS, *_RECEIPTS) if field in draft.headers))
    if settings.anonymous_list.of(draft.mailing_list):
        _anonymise(draft)


def _anonymise(draft: Draft) -> None:
    mailing_list = draft.mailing_list
    posting = mailing_list.fqdn_listname
    authors = {draft.author, identity(draft.envelope.sender), *draft.addresses("from", "sender", "reply-to")}
    draft.edit(*(Remove(f) for f in dict.fromkeys(draft.headers.names()) if not _HARMLESS.fullmatch(f)))
    for field in ("To", "Cc"):
        _without(draft, field, authors)
    draft.envelope = msgspec.structs.replace(draft.envelope, message_id=new_message_id(mailing_list.mail_host))
    draft.edit(
        Replace("Message-ID", f"<{draft.envelope.message_id}>"),
        Replace("From", format_address(settings.description.of(mailing_list), posting)),
        Replace("Reply-To", posting),
    )


def _without(draft: Draft, field: str, authors: set[str]) -> None:
    """Take the author's addresses out of a field of addresses."""
    entries: list[Address] = parse_addresses(draft.current(field))
    others = [a for a in entries if identity(a.email) not in authors]
    if len(others) < len(entries):
        draft.edit(
            Replace(field, ", ".join(format_address(a.display_name, a.email) for a in others))
            if others
            else Remove(field)
        )
