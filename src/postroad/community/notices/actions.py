"""The mail Postroad writes itself: composed, then queued like any other mail, in the transaction that causes it."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import find_list
from postroad.community.notices import settings
from postroad.community.notices.postponed import Postponed, postpone
from postroad.community.notices.subjects import SUBJECTS
from postroad.community.notices.templates import (
    base_url,
    expand,
    language_of,
    standard_values,
    text,
    translated,
    wrapped,
)
from postroad.community.people import queries as people
from postroad.foundation.catalogs import translator
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import format_address
from postroad.foundation.message.compose import compose
from postroad.foundation.message.message_id import new_message_id
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage


def send_notice(
    template: str,
    *,
    mailing_list: MailingList,
    to: Sequence[str],
    subject: str = "",
    values: Mapping[str, str] | None = None,
    from_: str = "",
    to_header: str = "",
    attachments: Sequence[bytes] = (),
    headers: Mapping[str, str] | None = None,
    envelope_sender: str = "",
    language: str = "",
) -> None:
    """Queue a notice of the list to these addresses; from the -bounces address unless told otherwise.

    It is in the `language` told, else in the one its reader chose, else in the list's. An empty text sends nothing.
    """
    if not to:
        return
    language = language or language_for(mailing_list, to)
    waiting = Postponed(
        verb="send_notice", template=template, list_id=mailing_list.list_id, to=tuple(to), subject=subject,
        values=values or {}, from_=from_, to_header=to_header, attachments=tuple(attachments), headers=headers or {},
        envelope_sender=envelope_sender, language=language,
    )  # fmt: skip
    if postpone(waiting, mailing_list):
        return
    filled = {**standard_values(mailing_list, language), **(values or {})}
    body = wrapped(expand(text(template, mailing_list, language), filled))
    if not body.strip():
        return
    send(
        list_id=mailing_list.list_id, from_=from_ or mailing_list.address("bounces"), to=to,
        to_header=to_header or ", ".join(to), body=body, attachments=attachments, headers=headers,
        subject=subject or expand(translated(SUBJECTS[template], language), filled), envelope_sender=envelope_sender,
    )  # fmt: skip


def language_for(mailing_list: MailingList, to: Sequence[str]) -> str:
    """The language its one reader chose, else the list's."""
    chosen = people.language_of(to[0]) if len(to) == 1 else None
    return chosen or language_of(mailing_list)


def send_text(
    mailing_list: MailingList,
    *,
    to: Sequence[str],
    subject: str,
    template: str,
    values: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Queue a text of the list's own, or of one of our slices, with the standard variables filled."""
    language = language_for(mailing_list, to)
    filled = {**standard_values(mailing_list, language), **(values or {})}
    send(
        list_id=mailing_list.list_id, from_=mailing_list.address("bounces"), to=to, to_header=", ".join(to),
        subject=expand(translated(subject, language), filled), body=wrapped(expand(template, filled)), headers=headers,
    )  # fmt: skip


def send(
    *,
    list_id: str,
    from_: str,
    to: Sequence[str],
    to_header: str,
    subject: str,
    body: str,
    attachments: Sequence[bytes] = (),
    headers: Mapping[str, str] | None = None,
    envelope_sender: str = "",
) -> None:
    """Queue a mail of ours, each recipient with a copy of its own."""
    message_id = new_message_id(from_.rpartition("@")[2].strip(">"))
    fields = {"Precedence": "bulk", "Auto-Submitted": "auto-generated", **(headers or {})}
    data = compose(
        from_=from_, to=to_header, subject=subject, text=body, attachments=attachments, message_id=message_id,
        headers={name: value for name, value in fields.items() if value},
    )  # fmt: skip
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(data), message_id=message_id, received_at=time.time(),
        size=len(data), kind="notice", list_id=list_id, recipients=tuple(to), reduced_list_headers=True,
        envelope_sender=envelope_sender or ("" if list_id else current().site.owner),
    )  # fmt: skip
    queue.put("pipeline", envelope)
    queue.record(envelope, "notices", "written", f"{subject} to {', '.join(to)[:200]}")


def tell_site_owner(slice_folder: Path, subject: str, body: str, values: Mapping[str, str]) -> None:
    """Queue a mail to the site's owner in the site's language; the slice's catalogues have the texts' translations."""
    site = current().site
    translate = translator(slice_folder, site.language)
    send(
        list_id="", from_=site.owner, to=[site.owner], to_header=site.owner,
        subject=expand(translate(subject), values), body=expand(translate(body), values),
    )  # fmt: skip


# --- to owners


def ask_owners(mailing_list: MailingList, template: str, member: str, answer_to: str) -> None:
    """Tell the moderators, when they want to know at once, that a request waits; their answer decides it."""
    if settings.admin_immed_notify.of(mailing_list):
        values = {"member": member, "email": member, "answer_email": answer_to}
        send_to_owners(mailing_list, template, values, headers={"Reply-To": answer_to})


def tell_owners(
    mailing_list: MailingList, template: str, member: str, attachments: Sequence[bytes] = (), **values: str
) -> None:
    """A notice to owners and moderators about a member, from the site."""
    filled = {"member": member, "mlist": mailing_list.fqdn_listname, **values}
    send_to_owners(mailing_list, template, filled, attachments, from_=current().site.owner)


def send_to_owners(
    mailing_list: MailingList,
    template: str,
    values: Mapping[str, str],
    attachments: Sequence[bytes] = (),
    *,
    about: str = "$subject",
    from_: str = "",
    headers: Mapping[str, str] | None = None,
) -> None:
    """Queue a notice into the owners' own road: it is addressed to -owner and taken there, to whoever they are then.

    `about` is a text with `$subject` in it that says more than the template's own subject.
    """
    waiting = Postponed(
        verb="send_to_owners", template=template, list_id=mailing_list.list_id, subject=about, values=values,
        attachments=tuple(attachments), from_=from_, headers=headers or {},
    )  # fmt: skip
    if postpone(waiting, mailing_list):
        return
    owner = mailing_list.address("owner")
    filled = {**standard_values(mailing_list), **values}
    body = wrapped(expand(text(template, mailing_list), filled))
    if not body.strip():
        return
    subject = expand(about, {"subject": expand(translated(SUBJECTS[template], language_of(mailing_list)), filled)})
    message_id = new_message_id(mailing_list.mail_host)
    data = compose(
        from_=from_ or owner, to=owner, subject=subject, text=body, attachments=attachments, message_id=message_id,
        headers={"Precedence": "bulk", "Auto-Submitted": "auto-generated", **(headers or {})},
    )  # fmt: skip
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(data), message_id=message_id, received_at=time.time(),
        size=len(data), kind="owner", list_id=mailing_list.list_id, reduced_list_headers=True,
    )  # fmt: skip
    queue.put("pipeline", envelope)
    queue.record(envelope, "notices", "written", f"{subject} to {owner}")


def send_postponed(notice: Postponed) -> None:
    """Send a notice that waited for its text; none when its list is gone."""
    mailing_list = find_list(notice.list_id)
    if mailing_list is None:
        return
    if notice.verb == "send_to_owners":
        send_to_owners(
            mailing_list, notice.template, notice.values, notice.attachments, about=notice.subject, from_=notice.from_,
            headers=notice.headers,
        )  # fmt: skip
        return
    send_notice(
        notice.template, mailing_list=mailing_list, to=notice.to, subject=notice.subject, values=notice.values,
        from_=notice.from_, to_header=notice.to_header, attachments=notice.attachments, headers=notice.headers,
        envelope_sender=notice.envelope_sender, language=notice.language,
    )  # fmt: skip


# --- to subscribers


def ask_subscriber(mailing_list: MailingList, template: str, email: str, secret: str) -> None:
    """Mail a secret to an address; the text says nothing that whoever caused it chose (facts: security T1)."""
    confirm = mailing_list.address(f"confirm+{secret}")
    values = {
        "token": secret, "subject": f"confirm {secret}", "confirm_email": confirm, "confirm_address": confirm,
        "confirm_url": f"{base_url(mailing_list)}/lists/{mailing_list.list_id}/confirm/{secret}",
        "user_email": email, "email_address": email, "domain_name": mailing_list.mail_host,
        "contact_address": mailing_list.address("owner"),
    }  # fmt: skip
    send_notice(
        template, mailing_list=mailing_list, to=[email], from_=confirm, values=values, headers={"Precedence": ""}
    )


def welcome(mailing_list: MailingList, email: str, name: str) -> None:
    """Greet a new member."""
    send_notice(
        "list:user:notice:welcome", mailing_list=mailing_list, to=[email], to_header=format_address(name, email),
        from_=mailing_list.address("request"), headers={"X-No-Archive": "yes"},
        values={"user_name": name, "user_email": email, "user_address": email},
    )  # fmt: skip


UNDO = "If that was a mistake, follow this link within 7 days:\n\n    $undo_url\n"


def goodbye(mailing_list: MailingList, email: str, secret: str = "", language: str = "") -> None:
    """Take leave of a member; with a secret, offer to take it back."""
    language = language or language_for(mailing_list, [email])
    url = f"{base_url(mailing_list)}/lists/{mailing_list.list_id}/confirm/{secret}"
    undo = expand(translated(UNDO, language), {"undo_url": url}) if secret else ""
    send_notice(
        "list:user:notice:goodbye", mailing_list=mailing_list, to=[email], language=language,
        values={"user_email": email, "user_address": email, "undo": undo},
    )  # fmt: skip


REQUEST = "Your membership request"
NO_REASON = "No reason was given."


def refuse_request(
    mailing_list: MailingList, email: str, reason: str, *, request: str = "", language: str = ""
) -> None:
    """Tell somebody that a moderator said no to a `request`, to become a member unless told."""
    language = language or language_for(mailing_list, [email])
    values = {
        "request": request or translated(REQUEST, language), "reason": reason or translated(NO_REASON, language),
    }  # fmt: skip
    send_notice("list:user:notice:refuse", mailing_list=mailing_list, to=[email], language=language, values=values)
