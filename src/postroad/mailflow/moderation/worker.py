"""Judges what came in: posts by the list's posting chain, mail to the owners by its owner chain.

A judgement that needs an answer of DNS must not wait for it in a transaction, nor keep other posts waiting: such a
mail goes by the queue `lookups`, whose worker asks, and comes back when the answers are remembered.
"""

from collections.abc import Mapping

from postroad.community.lists.queries import list_of_mail
from postroad.community.notices.replies import To, reply
from postroad.foundation.authentication.dns import NotAsked, from_memory
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.actions import carry_out
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Verdict


def work(envelope: Envelope) -> None:
    """Judge one mail and do what was judged, or send it to be looked up."""
    post = _post(envelope)
    if post is None:
        queue.record(envelope, "moderation", "discarded", "the list was removed meanwhile")
        return
    try:
        with from_memory():
            verdict = _judge(post)
    except NotAsked:
        queue.put("lookups", envelope)
        return
    if not reply(post.mailing_list, _ADDRESSED[envelope.kind], post.headers, envelope.sender):
        queue.record(envelope, "moderation", "discarded", "answered automatically")
        return
    carry_out(post, verdict)


_ADDRESSED: Mapping[str, To] = {"posting": "postings", "owner": "owner"}


def look_up(envelope: Envelope) -> None:
    """Ask DNS whatever the judgement of this mail needs; outside of any transaction."""
    post = _post(envelope)
    if post is not None:
        _judge(post)


def come_back(envelope: Envelope, _: None) -> None:
    """Send a mail back to be judged."""
    queue.put("moderation", envelope)


def _post(envelope: Envelope) -> Post | None:
    mailing_list = list_of_mail(envelope.list_id)
    return Post(mailing_list, envelope, storage.load(envelope.message)) if mailing_list else None


def _judge(post: Post) -> Verdict:
    """The verdict, with all that carrying it out will ask of DNS asked already."""
    verdict = judge(post)
    if verdict.action in ("hold", "reject"):
        _ = post.may_be_answered
    if verdict.action in ("accept", "hold"):
        _ = post.arc
    return verdict
