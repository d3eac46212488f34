"""Addresses each copy to its reader, on lists that want that (`personalize` is full)."""

from postroad.community.lists import settings
from postroad.foundation.message.addresses import format_address, identity, parse_addresses
from postroad.foundation.message.headers import Remove, Replace
from postroad.mailflow.pipeline.draft import Draft

name = "personalize"


def apply(draft: Draft) -> None:
    """To becomes the reader; who stood there, and the list, move to Cc so that an answer to all reaches them."""
    mailing_list = draft.mailing_list
    if settings.personalize.of(mailing_list) != "full" or not draft.envelope.verp:
        return
    posting = mailing_list.fqdn_listname
    mode = settings.reply_goes_to_list.of(mailing_list)
    entries = [format_address(a.display_name, a.email) for a in parse_addresses(draft.current("cc"))]
    entries += [
        format_address(a.display_name, a.email)
        for a in parse_addresses(draft.current("to"))
        if identity(a.email) != identity(posting)
    ]
    if mode not in ("point_to_list", "explicit_header_only") and not settings.anonymous_list.of(mailing_list):
        entries.append(posting)
    unique = {identity(a.email): format_address(a.display_name, a.email) for a in parse_addresses(entries)}
    draft.edit(Remove("To"))
    if unique:
        draft.edit(Replace("Cc", ", ".join(unique.values())))
    draft.slots["To"] = "${to_header}"
