"""Fields every mail of a list has, and where answers go."""

from importlib.metadata import version

from postroad.community.lists import settings
from postroad.foundation.message.addresses import format_address, parse_addresses
from postroad.foundation.message.headers import Append, Remove, Replace
from postroad.foundation.message.message_id import message_id_hash
from postroad.mailflow.pipeline.draft import Draft

name = "cook-headers"


def apply(draft: Draft) -> None:
    """Message-ID and its hash, Precedence, Reply-To (facts: mail-flow §12)."""
    message_id = draft.envelope.message_id
    if not draft.has("message-id"):
        draft.edit(Append("Message-ID", f"<{message_id}>"))
    if not draft.is_own:
        digest = message_id_hash(message_id)
        draft.edit(Replace("Message-ID-Hash", digest), Replace("X-Message-ID-Hash", digest))
    if not draft.has("x-mailman-version"):
        draft.edit(Append("X-Mailman-Version", f"Postroad {version('postroad')}"))
    if not draft.has("precedence"):
        draft.edit(Append("Precedence", "list"))
    if draft.is_own or draft.envelope.kind == "owner":
        return
    _answer_to(draft)


def _answer_to(draft: Draft) -> None:
    mailing_list = draft.mailing_list
    mode = settings.reply_goes_to_list.of(mailing_list)
    posting = format_address(settings.description.of(mailing_list), mailing_list.fqdn_listname)
    keep = [] if settings.first_strip_reply_to.of(mailing_list) else draft.current("reply-to")
    original = [format_address(a.display_name, a.email) for a in parse_addresses(keep)]
    explicit = settings.reply_to_address.of(mailing_list)
    wanted = {
        "point_to_list": [*original, posting],
        "explicit_header": [explicit, *original],
        "explicit_header_only": [explicit],
    }.get(mode, original)
    seen: dict[str, str] = {}
    for entry in wanted:
        for address in parse_addresses([entry]):
            seen.setdefault(address.email.lower(), format_address(address.display_name, address.email))
    if settings.anonymous_list.of(mailing_list):
        return
    value = ", ".join(seen.values())
    if value and value != ", ".join(draft.current("reply-to")):
        draft.edit(Replace("Reply-To", value))
    elif not value and draft.has("reply-to"):
        draft.edit(Remove("Reply-To"))
