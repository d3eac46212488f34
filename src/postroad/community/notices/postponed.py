"""Notices and posts that wait until a text of their list was fetched for the first time."""

import time
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from postroad.community.lists.models import MailingList
from postroad.community.notices.fetching import ask, job, keep, order, was_tried
from postroad.community.notices.models import FetchedText, TemplateUri
from postroad.community.notices.templates import from_afar, not_tried
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage

LONGEST_WAIT = 60.0
"""Seconds; more than one server that does not answer takes."""
WAITING = "texts of its list are being fetched"
"""Why a post waits, as the queue says it."""


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


def come_back_at(names: Sequence[str], mailing_list: MailingList, envelope: Envelope) -> float | None:
    """When a post with these texts in it is to be looked at again; None when it can go on now.

    It waits while one of them was set and never asked for (that is ordered then), but at most `LONGEST_WAIT`, and
    behind the list's earlier posts that wait. `let_go_on` ends the wait.
    """
    since = _since(envelope)
    asked = [place for name in names for place in from_afar(name, mailing_list) if place[0].text is None]
    if not asked or time.time() > since + LONGEST_WAIT:
        return None
    if [place for place in asked if _is_to_come(*place)]:  # Each of them is ordered.
        return since + LONGEST_WAIT
    first = queue.first_put_off("pipeline", mailing_list.list_id, WAITING)
    return since if first is not None and _since(first) < since else None


def let_go_on() -> None:
    """A text was asked for: look again at what waits for one, in the order it came in."""
    queue.bring_forward("pipeline", WAITING, LONGEST_WAIT)


def _since(envelope: Envelope) -> float:
    return envelope.approved_at or envelope.received_at


def _is_to_come(row: TemplateUri, uri: str) -> bool:
    if was_tried(uri):
        return False
    # Whoever keeps the text at this moment is waited for, else it could let everybody go on just before we wait.
    kept = FetchedText.objects.select_for_update().filter(uri=uri).first()
    if kept is None:
        order(row, uri)
    return kept is None or not kept.tried


def fetch_never_asked(names: Sequence[str], mailing_list: MailingList) -> None:
    """Ask for texts that were set and never asked for; outside of any transaction, for servers may be slow."""
    for name in names:
        for row, uri in not_tried(name, mailing_list):
            keep(ask(row, uri))


def restored(message: str) -> Postponed:
    """The notice that waits under this key of the storage."""
    return _decoder.decode(storage.load(message))
