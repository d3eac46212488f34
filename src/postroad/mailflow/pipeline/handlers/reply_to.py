"""Where answers go: what the author asked for, the list, or an address of the owner's choice."""

from postroad.community.lists import settings
from postroad.foundation.message.addresses import format_address, identity, parse_addresses
from postroad.foundation.message.headers import Remove, Replace
from postroad.mailflow.pipeline.draft import Draft

name = "reply-to"


def apply(draft: Draft) -> None:
    """Reply-To by `reply_goes_to_list` and `first_strip_reply_to`; each address once, no empty field."""
    mailing_list = draft.mailing_list
    if settings.anonymous_list.of(mailing_list):
        return
    original = [] if settings.first_strip_reply_to.of(mailing_list) else draft.current("reply-to")
    posting = format_address(settings.description.of(mailing_list), mailing_list.fqdn_listname)
    explicit = settings.reply_to_address.of(mailing_list)
    wanted = {
        "point_to_list": [*original, posting],
        "explicit_header": [explicit, *original],
        "explicit_header_only": [explicit],
    }.get(settings.reply_goes_to_list.of(mailing_list), original)
    there = draft.current("reply-to")
    if wanted == there:
        return
    seen = {identity(a.email): format_address(a.display_name, a.email) for a in reversed(parse_addresses(wanted))}
    if seen:
        draft.edit(Replace("Reply-To", ", ".join(reversed(seen.values()))))
    elif there:
        draft.edit(Remove("Reply-To"))
