"""Saves posts whose author's domain tells receivers to refuse changed mail (RFC 9989): From is rewritten or wrapped."""

import re
import secrets

from postroad.community.lists import settings as list_settings
from postroad.community.subscriptions import queries as subscriptions
from postroad.foundation.message.addresses import Address, format_address, identity, parse_addresses
from postroad.foundation.message.headers import Append, Edit, Headers, Replace, apply_edits
from postroad.foundation.message.message_id import new_message_id
from postroad.foundation.message.text_part import text_part
from postroad.mailflow.pipeline import settings
from postroad.mailflow.pipeline.draft import Draft
from postroad.mailflow.pipeline.words import say

name = "dmarc"

VIA = "$name via $list_name"
_KEPT = (
    "archived-at", "date", "in-reply-to", "list-", "precedence", "references", "subject", "to",
    "x-loop", "x-mailman-",
)  # fmt: skip


def apply(draft: Draft) -> None:
    """Munge or wrap when the policy, or the list, asks for it."""
    action = settings.dmarc_mitigate_action.of(draft.mailing_list)
    wanted = draft.envelope.dmarc or settings.dmarc_mitigate_unconditionally.of(draft.mailing_list)
    if not wanted or draft.keeps_signatures or list_settings.anonymous_list.of(draft.mailing_list):
        return
    if action == "wrap_message":
        _wrap(draft)
    elif action == "munge_from":
        draft.edit(*_munged(draft))


def _munged(draft: Draft) -> list[Edit]:
    """`Name via List <posting address>`; the author goes to Reply-To or Cc, and to fields for programs (RFC 9057)."""
    mailing_list = draft.mailing_list
    original = draft.current("from")
    found = parse_addresses(original)
    author = found[0] if found else Address("", *draft.envelope.sender.rpartition("@")[::2])
    values = {"name": _name(draft, author), "list_name": list_settings.display_name.of(mailing_list)}
    shown = say(mailing_list, VIA, values)
    edits: list[Edit] = [Replace("From", format_address(shown, mailing_list.fqdn_listname))]
    unmunged = list_settings.reply_goes_to_list.of(mailing_list) == "no_munging"
    field = "Reply-To" if unmunged else "Cc"
    there = {identity(a.email) for a in parse_addresses(draft.current(field))}
    if author.local and identity(author.email) not in there:
        edits.append(
            Replace(field, ", ".join([*draft.current(field), format_address(author.display_name, author.email)]))
        )
    if original:
        edits.append(Replace("X-Original-From", original[0]))
        edits += [] if draft.has("author") else [Append("Author", ", ".join(original))]
    return edits


def _name(draft: Draft, author: Address) -> str:
    """What the author is called: in From, else in the membership, else the address without its domain."""
    name = author.display_name
    if not name:
        member = subscriptions.member_of(draft.mailing_list, author.email) if author.local else None
        known = member.effective_address if member else None
        name = known.display_name if known else ""
    return re.sub(r"@\S*", " ---", name or author.email)


def _wrap(draft: Draft) -> None:
    """The whole post inside a mail of the list's own (facts: mail-flow §11)."""
    inner = draft.edited()
    outer = b"".join(field.raw for field in Headers.parse(inner) if field.name.lower().startswith(_KEPT))
    edits: list[Edit] = [Append(field, ", ".join(v)) for field in ("Cc", "Reply-To") if (v := draft.current(field))]
    edits += _munged(draft)
    # An answer refers to the wrapper; with the post's own id in it, threads stay together.
    references = " ".join([*draft.current("references"), f"<{draft.envelope.message_id}>"])
    edits += [Append("Message-ID", f"<{new_message_id(draft.mailing_list.mail_host)}>"), Append("MIME-Version", "1.0")]
    edits.append(Replace("References", references))
    notice = settings.dmarc_wrapped_message_text.of(draft.mailing_list).strip()
    if not notice:
        edits += [Append("Content-Type", "message/rfc822"), Append("Content-Disposition", "inline")]
        body = inner
    else:
        boundary = f"=-{secrets.token_hex(16)}"
        edits.append(Append("Content-Type", f'multipart/mixed; boundary="{boundary}"'))
        line = f"--{boundary}\r\n".encode()
        fields, text = text_part(notice + "\n", inline=True)
        head = b"Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n"
        body = line + fields + b"\r\n" + text + line + head + inner + f"\r\n--{boundary}--\r\n".encode()
    draft.replace_raw(apply_edits(outer + b"\r\n", edits) + body)
    draft.edits = []
