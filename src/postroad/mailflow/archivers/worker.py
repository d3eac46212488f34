"""The stage `archivers`: hands a post to one archiver outside of any transaction, then notes what became of it.

An archiver that is away is tried again, at growing intervals, for `[mail] delivery_retry_days`; then the post is
quarantined, where it can be seen and retried.
"""

from collections.abc import Callable, Mapping

from postroad.community.lists.models import MailingList
from postroad.foundation.errors import Rejected, TryLater
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archivers import actions

HANDS: Mapping[str, Callable[[MailingList, Envelope, bytes], str]] = {
    "mhonarc": actions.run_program,
    "prototype": actions.keep_in_maildir,
}
"""How each archiver that is no mail gets a post, by its name in `lists.archivers`."""


def hand_over(envelope: Envelope) -> str:
    """Give the post to its archiver; what became of it, "" where that is not done yet.

    Raises:
        TryLater: the archiver cannot take it now.
        Rejected: it could not for all the time there is.
    """
    mailing_list = MailingList.objects.filter(list_id=envelope.list_id).first()
    hand = HANDS.get(envelope.archiver)
    if mailing_list is None or hand is None:
        return ""
    raw = actions.with_clear_date(storage.load(envelope.message), envelope.received_at)
    try:
        return hand(mailing_list, envelope, raw)
    except TryLater as error:
        if actions.time_is_over(envelope):
            raise Rejected(f"The archiver {envelope.archiver} did not take it in time: {error}") from error
        raise


def work(envelope: Envelope, done: str) -> None:
    """Note what became of it; a service that takes mail gets its mail now."""
    name = envelope.archiver
    if done:
        queue.record(envelope, "archivers", "handed over", f"{name}: {done}")
    elif not MailingList.objects.filter(list_id=envelope.list_id).exists():
        queue.record(envelope, "archivers", "discarded", "the list was removed meanwhile")
    else:
        actions.send_to_service(envelope)
        queue.record(envelope, "archivers", "handed over", f"{name}: by mail")
