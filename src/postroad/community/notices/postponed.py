"""Notices and posts that wait until a text of their list was fetched for the first time."""

import time
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from postroad.community.lists.models import MailingList
from postroad.community.notices.fetching import ask, job, keep, order
from postroad.community.notices.models import FetchedText
from postroad.community.notices.templates import not_tried
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue import memory
from postroad.foundation.storage import actions as storage

LONGEST_WAIT = 60.0
"""Seconds; more than one server that does not answer takes."""


class Postponed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call of `actions.send_notice` or `actions.send_to_owners`, kept until it can be made."""

    verb: Literal["send_notice", "send_to_owners"]
    template: str
    list_id: str
    to: tuple[str, ...] = ()
    subject: str = ""
    values: Mapping[str, str] = {}
    from_: str = ""
    to_header: str = ""
    attachments: tuple[bytes, ...] = ()
    headers: Mapping[str, str] = {}
    envelope_sender: str = ""
    language: str = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Postponed)


def postpone(notice: Postponed, mailing_list: MailingList) -> bool:
    """Let a notice wait when its text was never asked for; whether it does."""
    if not not_tried(notice.template, mailing_list, notice.language):
        return False
    queue.put("templates", job("", storage.store(_encoder.encode(notice))))
    return True


def must_wait(names: Sequence[str], mailing_list: MailingList, since: float) -> bool:
    """Whether a mail with these texts in it waits, since one was set and never asked for; then that is ordered.

    None waits longer than `LONGEST_WAIT` after `since` (seconds since 1970).
    """
    if time.time() > since + LONGEST_WAIT:
        return False
    key = ("texts never asked for", mailing_list.pk, *names)
    rows = memory.once(key, lambda: [found for name in names for found in not_tried(name, mailing_list)])
    rows = [(row, uri) for row, uri in rows if row.text is None]
    for row, uri in rows:
        if not FetchedText.objects.filter(uri=uri).exists():
            order(row, uri)
    return bool(rows)


def fetch_never_asked(names: Sequence[str], mailing_list: MailingList) -> None:
    """Ask for texts that were set and never asked for; outside of any transaction, for servers may be slow."""
    for name in names:
        for row, uri in not_tried(name, mailing_list):
            keep(ask(row, uri))


def restored(message: str) -> Postponed:
    """The notice that waits under this key of the storage."""
    return _decoder.decode(storage.load(message))
