"""Consumes the queue of posts for the newsgroup. A server that is away is tried again; a refusal is quarantined."""

from postroad.community.lists.models import MailingList
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.usenet.actions import send_to_news


def post(envelope: Envelope) -> str:
    """Hand one post to the news server, outside of any transaction; what became of it, "" without a list.

    Raises:
        TryLater: the server is away.
        Rejected: it does not take the article.
    """
    mailing_list = MailingList.objects.filter(list_id=envelope.list_id).first()
    if mailing_list is None:
        return ""
    return send_to_news(mailing_list, storage.load(envelope.message), envelope.message_id)


def work(envelope: Envelope, done: str) -> None:
    """Note what became of it."""
    if done:
        queue.record(envelope, "usenet", "posted", done)
    else:
        queue.record(envelope, "usenet", "discarded", "the list was removed meanwhile")
