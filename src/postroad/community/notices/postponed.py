"""Notices that wait until their own text was fetched."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from postroad.community.lists.models import MailingList
from postroad.community.notices.fetching import job
from postroad.community.notices.templates import not_tried
from postroad.foundation.queue import actions as queue
from postroad.foundation.storage import actions as storage


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


def restored(message: str) -> Postponed:
    """The notice that waits under this key of the storage."""
    return _decoder.decode(storage.load(message))
