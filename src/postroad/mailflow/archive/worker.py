"""Takes posts into their lists' archives, several in one go: a few statements for all of them."""

from collections.abc import Iterable, Sequence

from postroad.community.lists.archivers import keeps_own
from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import list_of_mail
from postroad.foundation.message.archiving import may_be_archived
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.foundation.webhooks.actions import announce
from postroad.mailflow.archive.actions import Incoming, archive_many
from postroad.mailflow.archive.reading import read


class _Post:
    """A mail to be archived, with its header."""

    def __init__(self, envelope: Envelope, raw: bytes) -> None:
        self.envelope, self.raw, self.headers = envelope, raw, Headers.parse(raw)


def work(envelopes: Sequence[Envelope]) -> None:
    """Archive mails, those of a list together."""
    by_list: dict[str, list[Envelope]] = {}
    for envelope in envelopes:
        by_list.setdefault(envelope.list_id, []).append(envelope)
    for list_id, of_list in by_list.items():
        mailing_list = list_of_mail(list_id)
        if mailing_list is None or not keeps_own(mailing_list):
            _leave_out(of_list, "the list keeps no archive")
            continue
        wanted: list[_Post] = []
        unwanted: list[_Post] = []
        for post in (_Post(e, storage.load(e.message)) for e in of_list):
            (wanted if may_be_archived(post.headers) else unwanted).append(post)
        _leave_out((post.envelope for post in unwanted), "the author asked for that")
        _archive(mailing_list, wanted)


def _leave_out(envelopes: Iterable[Envelope], why: str) -> None:
    queue.record_many((envelope, "archive", "not archived", why, "") for envelope in envelopes)


def _archive(mailing_list: MailingList, posts: Sequence[_Post]) -> None:
    incoming = [Incoming(p.raw, p.envelope.message_id, p.envelope.received_at, p.envelope.message) for p in posts]
    places = archive_many(mailing_list, incoming, [read(post.raw, post.headers) for post in posts])
    for envelope, place in zip((post.envelope for post in posts), places, strict=True):
        if place.new is None:
            _leave_out([envelope], "the very same mail is there already")
            continue
        hash_ = place.new.message_id_hash
        queue.record(envelope, "archive", "archived", f"in the thread “{place.new.conversation[:80]}”", hash_)
        announce("post.archived", envelope.list_id, {"message_id": envelope.message_id, "hash": hash_})
