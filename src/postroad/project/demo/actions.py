"""Fills a home with the samples, once."""

import email.utils
import time
from email.message import EmailMessage
from email.policy import SMTP

from django.db import transaction

from postroad.community.lists import actions as lists
from postroad.community.lists.models import Domain, MailingList
from postroad.community.people import actions as people
from postroad.community.subscriptions import actions as subscriptions
from postroad.foundation.message.addresses import format_address
from postroad.foundation.message.compose import compose
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.intake.actions import accept
from postroad.mailflow.intake.events import Transaction
from postroad.project.demo.samples import DOMAIN, LISTS, PEOPLE, THREADS
from postroad.project.demo.special import HELD, SPECIALS, Special, deep_conversation

DAY = 86_400.0
PASSWORD = "garden-gate"


def is_filled() -> bool:
    """Whether the samples are there already."""
    return Domain.objects.filter(mail_host=DOMAIN).exists()


@transaction.atomic
def fill() -> None:
    """Make domain, people, lists and members, and queue the old mails for the archive."""
    lists.create_domain(DOMAIN, description="A garden society that does not exist")
    for name, address in PEOPLE:
        people.create_user(address, display_name=name, password=PASSWORD, is_server_owner=address == PEOPLE[0][1])
        found = people.ensure_address(address)
        people.verify(found)
    for name, style, description, members in LISTS:
        made = lists.create_list(f"{name}@{DOMAIN}", style)
        lists.change_settings(made, {"description": description})
        subscriptions.join(made, PEOPLE[0][1], role="owner")
        for number in members:
            subscriptions.join(
                made, PEOPLE[number][1], pre_verified=True, pre_confirmed=True, pre_approved=True,
                send_welcome_message=False,
            )  # fmt: skip
    for number, thread in enumerate(THREADS):
        _archive_thread(number, thread)
    turns = list(deep_conversation())
    _archive_thread(len(THREADS), ("garden", "Paths and beds, the new plan", *turns[0][:2], turns[0][3], turns[1:]))
    for number, special in enumerate(SPECIALS):
        _archive_special(number, special)
    sender, list_name, subject, text = HELD
    address = f"{list_name}@{DOMAIN}"
    accept([Transaction(sender, (address,), compose(from_=sender, to=address, subject=subject, text=text))])


def _archive_thread(number: int, thread: tuple) -> None:  # type: ignore[type-arg]
    list_name, subject, author, days, text, replies = thread
    mailing_list = MailingList.objects.get(list_name=list_name, mail_host=DOMAIN)
    mails = [(author, days, None, text), *replies]
    for index, (writer, ago, parent, words) in enumerate(mails):
        ancestors: list[int] = []
        while parent is not None:
            ancestors.insert(0, parent)
            parent = mails[parent][2]
        _archive(
            mailing_list,
            f"demo-{number}-{index}",
            subject if index == 0 else f"Re: {subject}",
            writer,
            ago,
            words,
            [f"<demo-{number}-{a}@example.org>" for a in ancestors],
        )


def _archive_special(number: int, special: Special) -> None:
    mailing_list = MailingList.objects.get(list_name=special.list_name, mail_host=DOMAIN)
    at = time.time() - special.days * DAY
    mail = EmailMessage(policy=SMTP)
    mail["From"] = format_address(*PEOPLE[special.author])
    mail["To"] = mailing_list.fqdn_listname
    mail["Subject"] = special.subject
    mail["Date"] = email.utils.formatdate(at)
    mail["Message-ID"] = f"<demo-special-{number}@example.org>"
    if special.answers is not None:
        mail["In-Reply-To"] = f"<demo-special-{special.answers}@example.org>"
    special.fill(mail)
    _queue(mailing_list, f"demo-special-{number}", special.author, at, mail.as_bytes())


def _archive(
    mailing_list: MailingList, name: str, subject: str, writer: int, ago: float, text: str, references: list[str]
) -> None:
    at = time.time() - ago * DAY
    headers = {"Date": email.utils.formatdate(at), "List-Id": f"<{mailing_list.list_id}>"}
    if references:
        headers |= {"In-Reply-To": references[-1], "References": " ".join(references)}
    data = compose(
        from_=format_address(*PEOPLE[writer]), to=mailing_list.fqdn_listname, subject=subject, text=text,
        headers=headers, message_id=f"{name}@example.org",
    )  # fmt: skip
    _queue(mailing_list, name, writer, at, data)


def _queue(mailing_list: MailingList, name: str, writer: int, at: float, data: bytes) -> None:
    queue.put(
        "archive",
        Envelope(
            journey=queue.new_journey(), message=storage.store(data), message_id=f"{name}@example.org", received_at=at,
            size=len(data), list_id=mailing_list.list_id, sender=PEOPLE[writer][1],
            recipient=mailing_list.fqdn_listname,
        ),
    )  # fmt: skip
