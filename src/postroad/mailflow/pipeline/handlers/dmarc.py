"""Saves posts whose author's domain tells receivers to refuse changed mail (RFC 7489): From is rewritten or wrapped."""

import re
import secrets

from postroad.community.lists import settings as list_settings
from postroad.foundation.message.addresses import Address, format_address, parse_addresses
from postroad.foundation.message.headers import Append, Headers, Replace, apply_edits
from postroad.foundation.message.message_id import new_message_id
from postroad.mailflow.pipeline import settings
from postroad.mailflow.pipeline.draft import Draft

name = "dmarc"

_KEPT = (
    "archived-at", "date", "in-reply-to", "list-", "precedence", "references", "subject", "to", "x-mailman-",
)  # fmt: skip


def apply(draft: Draft) -> None:
    """Munge or wrap when the policy, or the list, asks for it."""
    action = settings.dmarc_mitigate_action.of(draft.mailing_list)
    wanted = draft.envelope.dmarc or settings.dmarc_mitigate_unconditionally.of(draft.mailing_list)
    if not wanted or list_settings.anonymous_list.of(draft.mailing_list):
        return
    if action == "wrap_message":
        _wrap(draft)
    elif action == "munge_from":
        draft.edit(*_munged(draft))


def _author(draft: Draft) -> Address | None:
    found = parse_addresses(draft.current("from"))
    return found[0] if found else None


def _munged(draft: Draft) -> list[Replace | Append]:
    """`Name via List <posting address>`, the author's own address in Reply-To or Cc."""
    author = _author(draft)
    email = author.email if author else draft.envelope.sender
    name = (author.display_name if author else "") or f"{email.partition('@')[0]} ---"
    if "@" in name:
        name = re.sub(r"@\S*", " ---", name)
    shown = list_settings.display_name.of(draft.mailing_list)
    edits: list[Replace | Append] = [
        Replace("From", format_address(f"{name} via {shown}", draft.mailing_list.fqdn_listname))
    ]
    to_author = format_address(author.display_name if author else "", email)
    unmunged = list_settings.reply_goes_to_list.of(draft.mailing_list) == "no_munging"
    field = "Reply-To" if unmunged else "Cc"
    there = parse_addresses(draft.current(field))
    if email and email.lower() not in {a.email.lower() for a in there}:
        edits.append(Replace(field, ", ".join([*draft.current(field), to_author])))
    return edits


def _wrap(draft: Draft) -> None:
    """The whole post inside a mail of the list's own (facts: mail-flow §11)."""
    inner = apply_edits(draft.raw, draft.edits)
    outer = b"".join(field.raw for field in Headers.parse(inner) if field.name.lower().startswith(_KEPT))
    edits = _munged(draft)
    edits += [Append("Message-ID", f"<{new_message_id(draft.mailing_list.mail_host)}>"), Append("MIME-Version", "1.0")]
    notice = settings.dmarc_wrapped_message_text.of(draft.mailing_list).strip()
    if not notice:
        edits += [Append("Content-Type", "message/rfc822"), Append("Content-Disposition", "inline")]
        body = inner
    else:
        boundary = f"=-{secrets.token_hex(16)}"
        edits.append(Append("Content-Type", f'multipart/mixed; boundary="{boundary}"'))
        text = notice.replace("\r\n", "\n").replace("\n", "\r\n")
        opening = (
            f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: inline\r\n\r\n{text}\r\n"
            f"--{boundary}\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n"
        )
        body = opening.encode() + inner + f"\r\n--{boundary}--\r\n".encode()
    draft.replace_raw(apply_edits(outer + b"\r\n", edits) + body)
    draft.edits = []
