"""Judges what came in: posts by the posting chain; mail to the owners always passes."""

from postroad.community.lists.models import MailingList
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.actions import carry_out
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.post import Post


def work(envelope: Envelope) -> None:
    """Judge one mail and do what was judged."""
    mailing_list = MailingList.objects.filter(list_id=envelope.list_id).first()
    if mailing_list is None:
        queue.record(envelope, "moderation", "discarded", "the list was removed meanwhile")
        return
    if envelope.kind == "owner":
        queue.put("pipeline", envelope)
        queue.record(envelope, "moderation", "accepted", "mail to the owners")
        return
    post = Post(mailing_list, envelope, storage.load(envelope.message))
    carry_out(post, judge(post))
