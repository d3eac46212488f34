"""The mail Postroad writes itself: composed, then queued like any other mail, in the transaction that causes it."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from django.db.models import F

from postroad.community.lists.models import MailingList
from postroad.community.notices import settings
from postroad.community.notices.models import AutoResponse
from postroad.community.notices.templates import expand, standard_values, text, wrapped
from postroad.foundation.configuration import current
from postroad.foundation.message.compose import compose
from postroad.foundation.message.message_id import new_message_id
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage

CONFIRMATIONS_A_DAY = 3
"""Confirmation mails to one address over the whole site; whoever wants to annoy somebody finds this the end."""


def send_notice(
    template: str,
    *,
    mailing_list: MailingList,
    to: Sequence[str],
    subject: str,
    values: Mapping[str, str] | None = None,
    from_: str = "",
    to_header: str = "",
    attachments: Sequence[bytes] = (),
    headers: Mapping[str, str] | None = None,
    envelope_sender: str = "",
) -> None:
    """Queue a notice of the list to these addresses; from the -bounces address unless told otherwise."""
    body = wrapped(expand(text(template, mailing_list), {**standard_values(mailing_list), **(values or {})}))
    if not body.strip() or not to:
        return
    send(
        list_id=mailing_list.list_id, from_=from_ or mailing_list.address("bounces"), to=to,
        to_header=to_header or ", ".join(to), subject=subject, body=body, attachments=attachments, headers=headers,
        envelope_sender=envelope_sender,
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


# --- to owners


def _owners(mailing_list: MailingList) -> list[str]:
    """Where the owners' mail goes: the list's own -owner address, which reaches whoever they are that moment."""
    return [mailing_list.address("owner")]


def ask_owners(mailing_list: MailingList, template: str, member: str) -> None:
    """Tell the owners that a request waits, when they want to know at once."""
    if settings.admin_immed_notify.of(mailing_list):
        tell_owners(mailing_list, template, member)


def tell_owners(
    mailing_list: MailingList, template: str, member: str, attachments: Sequence[bytes] = (), **values: str
) -> None:
    """A notice to owners and moderators about a member."""
    subjects = {
        "list:admin:action:subscribe": f"{member} would like to join {mailing_list.list_name}",
        "list:admin:action:unsubscribe": f"{member} would like to leave {mailing_list.list_name}",
        "list:admin:notice:subscribe": f"{member} joined {mailing_list.list_name}",
        "list:admin:notice:unsubscribe": f"{member} left {mailing_list.list_name}",
    }
    subject = subjects.get(template, f"{mailing_list.list_name}: {member}")
    send_to_owners(mailing_list, template, subject, {"member": member, **values}, attachments)


def send_to_owners(
    mailing_list: MailingList,
    template: str,
    subject: str,
    values: Mapping[str, str],
    attachments: Sequence[bytes] = (),
) -> None:
    """Queue a notice into the owners' own road: it is addressed to -owner and taken there."""
    owner = mailing_list.address("owner")
    body = wrapped(expand(text(template, mailing_list), {**standard_values(mailing_list), **values}))
    message_id = new_message_id(mailing_list.mail_host)
    data = compose(
        from_=owner, to=owner, subject=subject, text=body, attachments=attachments, message_id=message_id,
        headers={"Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(data), message_id=message_id, received_at=time.time(),
        size=len(data), kind="owner", list_id=mailing_list.list_id, reduced_list_headers=True,
    )  # fmt: skip
    queue.put("pipeline", envelope)
    queue.record(envelope, "notices", "written", f"{subject} to {owner}")


# --- to subscribers


def ask_subscriber(mailing_list: MailingList, template: str, email: str, secret: str) -> None:
    """Mail a token to an address, unless it got enough of them today; the text says nothing the asker chose."""
    if not _may_confirm(mailing_list, email):
        return
    confirm = mailing_list.address(f"confirm+{secret}")
    subject = {
        "list:user:action:invite": f"You are invited to join {mailing_list.fqdn_listname}",
        "list:user:action:unsubscribe": f"Please confirm that you leave {mailing_list.fqdn_listname}",
    }.get(template, f"Please confirm that you join {mailing_list.fqdn_listname}")
    send_notice(
        template, mailing_list=mailing_list, to=[email], subject=subject, from_=confirm,
        values={"token": secret, "confirm_email": confirm, "confirm_address": confirm, "user_email": email},
        headers={"Precedence": ""},
    )  # fmt: skip


def _may_confirm(mailing_list: MailingList, email: str) -> bool:
    """One confirmation for an address and list, and three over the site, a day (facts: security T1)."""
    today = datetime.now(UTC).date()
    rows = AutoResponse.objects.filter(address=email.lower(), kind="confirm", day=today)
    if sum(rows.values_list("count", flat=True)) >= CONFIRMATIONS_A_DAY:
        return False
    row, made = rows.get_or_create(
        address=email.lower(), list_id=mailing_list.list_id, kind="confirm", day=today, defaults={"count": 1}
    )
    del row
    return made


def welcome(mailing_list: MailingList, email: str, name: str) -> None:
    """Greet a new member."""
    send_notice(
        "list:user:notice:welcome", mailing_list=mailing_list, to=[email], from_=mailing_list.address("request"),
        subject=f"Welcome to the {mailing_list.list_name} mailing list",
        values={"user_name": name, "user_email": email, "user_address": email}, headers={"X-No-Archive": "yes"},
    )  # fmt: skip


def goodbye(mailing_list: MailingList, email: str) -> None:
    """Take leave of a member."""
    send_notice(
        "list:user:notice:goodbye", mailing_list=mailing_list, to=[email],
        subject=f"You have left the {mailing_list.list_name} mailing list",
        values={"user_email": email, "user_address": email},
    )  # fmt: skip


def refuse_request(mailing_list: MailingList, email: str, reason: str) -> None:
    """Tell somebody that a moderator said no."""
    send_notice(
        "list:user:notice:refuse", mailing_list=mailing_list, to=[email],
        subject=f'Request to mailing list "{mailing_list.list_name}" refused',
        values={"request": "Your membership request", "reason": reason or "No reason was given."},
    )  # fmt: skip


# --- limits of automatic answers


def count_answer(address: str, list_id: str, kind: str) -> int:
    """Count an automatic answer to an address today; which one it is, beginning with 1."""
    today = datetime.now(UTC).date()
    row, made = AutoResponse.objects.get_or_create(
        address=address.lower(), list_id=list_id, kind=kind, day=today, defaults={"count": 1}
    )
    if made:
        return 1
    AutoResponse.objects.filter(pk=row.pk).update(count=F("count") + 1)
    return row.count + 1
