"""Archives what the pipeline hands over, as far as the list and the author want that."""

from postroad.community.lists.archivers import keeps_own
from postroad.community.lists.queries import list_of_mail
from postroad.foundation.message.archiving import may_be_archived
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.foundation.webhooks.actions import announce
from postroad.mailflow.archive.actions import Incoming, archive


def work(envelope: Envelope) -> None:
    """Archive one mail."""
    mailing_list = list_of_mail(envelope.list_id)
    if mailing_list is None or not keeps_own(mailing_list):
        queue.record(envelope, "archive", "not archived", "the list keeps no archive")
        return
    raw = storage.load(envelope.message)
    if not may_be_archived(Headers.parse(raw)):
        queue.record(envelope, "archive", "not archived", "the author asked for that")
        return
    mail = archive(mailing_list, Incoming(raw, envelope.message_id, envelope.received_at))
    if mail is None:
        queue.record(envelope, "archive", "not archived", "the very same mail is there already")
    else:
        queue.record(
            envelope, "archive", "archived", f"in the thread “{mail.thread.subject[:80]}”", mail.message_id_hash
        )
        told = {"message_id": envelope.message_id, "hash": mail.message_id_hash}
        announce("post.archived", envelope.list_id, told)
