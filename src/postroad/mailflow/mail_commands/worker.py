"""Consumes this stage's queue: mail to a list's -join, -leave, -confirm and -request addresses."""

from postroad.community.lists.models import MailingList
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.mail_commands.actions import obey


def work(envelope: Envelope) -> None:
    """Obey one mail."""
    mailing_list = MailingList.objects.select_related("domain").filter(list_id=envelope.list_id).first()
    if mailing_list is None:
        queue.record(envelope, "mail_commands", "discarded", "the list was removed meanwhile")
        return
    done = obey(mailing_list, envelope, storage.load(envelope.message))
    queue.record(envelope, "mail_commands", "ignored" if done.startswith("ignored") else "obeyed", done)
