"""Write to a list for somebody who is signed in: the mail takes the road of every other, and is judged like it."""

from collections.abc import Sequence

from postroad.community.lists.models import MailingList
from postroad.community.people.models import Address, User
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import format_address, identity
from postroad.foundation.message.compose import compose
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import new_message_id, references_of
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.reading import subject_of_thread
from postroad.mailflow.intake.actions import accept
from postroad.mailflow.intake.events import Transaction

MOST_REFERENCES = 20


def addresses_of(user: User) -> list[Address]:
    """The addresses somebody has proved to own, the one they are reached at first."""
    rows = Address.objects.filter(user=user, verified_on__isnull=False).order_by("email")
    return sorted(rows, key=lambda address: address.email != user.email)


def post(
    user: User, mailing_list: MailingList, sender: str, subject: str, text: str, answers: Mail | None = None
) -> str:
    """Hand a post to intake; its Message-ID.

    Raises:
        BadInput: the address is none that this user has proved to own.
    """
    address = next((row for row in addresses_of(user) if row.email == identity(sender)), None)
    if address is None:
        raise BadInput(f"{sender} is not one of your verified addresses. Choose one of those, or verify it first.")
    message_id = new_message_id(mailing_list.mail_host)
    headers = {}
    if answers is not None:
        earlier = _references(answers)
        headers = {"In-Reply-To": earlier[-1], "References": " ".join(earlier)}
    data = compose(
        from_=format_address(user.display_name or address.display_name, address.original_email),
        to=mailing_list.fqdn_listname, subject=subject, text=text.replace("\r\n", "\n"), headers=headers,
        message_id=message_id,
    )  # fmt: skip
    accept([Transaction(address.email, (mailing_list.fqdn_listname,), data, signed_in=address.email)])
    return message_id


def _references(mail: Mail) -> Sequence[str]:
    """The References of a reply: those of the mail it answers, and that mail (RFC 5322 §3.6.4)."""
    before = references_of(Headers.parse(storage.load(mail.message)))
    own = [name for name in before if name != mail.message_id]
    return [f"<{name}>" for name in (*own[:1], *own[1:][-MOST_REFERENCES:], mail.message_id)]


def subject_of_reply(mail: Mail) -> str:
    """`Re:` once, whatever stood there."""
    return f"Re: {subject_of_thread(mail.subject)}"[:200]
