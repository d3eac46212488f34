"""Steps of the cut-over: mail in the old queues, and digests being collected; also whom Mailman answered lately.

While the old system lives, it is the one that sends them; they are brought only when it is stopped for good.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import structs

from postroad.community.lists.models import MailingList
from postroad.community.notices import moving_in as notices
from postroad.foundation.message.addresses import parse_addresses
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.lines import with_crlf
from postroad.foundation.message.message_id import message_id_of, new_message_id
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, Kind
from postroad.foundation.storage import actions as storage
from postroad.upgrade.importing.old_digests import collected_at
from postroad.upgrade.importing.plan import Batch, Item, Step, fingerprint_of
from postroad.upgrade.mailman2.messages import message_file
from postroad.upgrade.mailman2.old_list import moment_of
from postroad.upgrade.mailman2.site import OldSite
from postroad.upgrade.mbox.mailboxes import mails
from postroad.upgrade.mbox.model import Found

_STAGES: Mapping[str, str] = MappingProxyType({
    "in": "moderation", "commands": "mail_commands", "bounces": "bounces", "archive": "archive", "news": "usenet",
    "shunt": "moderation", "bad": "moderation",
})  # fmt: skip
"""Mailman's queue and our stage; what was on its way to the MTA is ended by the old system."""
_SET_ASIDE = ("shunt", "bad")
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("toowner", "owner"), ("tobounces", "bounces"), ("toconfirm", "confirm"), ("tojoin", "join"), ("toleave", "leave"),
    ("torequest", "request"),
)  # fmt: skip
_LATER = "waits in the old system; stop that for good and call this again with --cut-over"
_ANSWERS: Mapping[str, str] = MappingProxyType({
    "postings_responses": "reply-postings", "request_responses": "reply-requests", "admin_responses": "reply-owner",
    "hold_and_cmd_autoresponses": "hold",
})  # fmt: skip


def steps(site: OldSite) -> tuple[Step, ...]:
    """In their order."""
    return (
        Step("automatic answers", lambda: _read_answers(site), _write_answers),
        Step("digests in progress", lambda: _read_digests(site), lambda batch: _write_digests(site, batch)),
        Step("queued mail", lambda: _read_queues(site), lambda batch: _write_queues(site, batch), size=50),
    )


# --- automatic answers


def _read_answers(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        for source, kind in _ANSWERS.items():
            for address, value in old.table(source).items():
                day, count = _day(value)
                if day is not None:
                    data = (address.lower(), old.list_id, kind, day.isoformat(), count)
                    yield Item(f"{old.name}:{kind}:{address}", data, f"to {address} by {old.list_id}")


def _day(value: Any) -> tuple[date | None, int]:
    """A moment, or year, month, day and how many that day."""
    if isinstance(value, tuple) and len(value) == 4:
        try:
            return date(*value[:3]), int(value[3])
        except (TypeError, ValueError):
            return None, 0
    moment = moment_of(value)
    return (moment.date() if moment else None), 1


def _write_answers(batch: Batch) -> None:
    answers = [
        notices.Answered(address, list_id, kind, date.fromisoformat(day), count)
        for address, list_id, kind, day, count in (item.data for item in batch.items)
    ]
    for item, key in zip(batch.items, notices.bring_answers(answers), strict=True):
        batch.done(item, key)


# --- digests


def _read_digests(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        file = old.folder / "digest.mbox"
        if file.is_file() and file.stat().st_size:
            yield Item(old.name, (old.list_id, file), old.list_id, _stamp(file))


def _stamp(file: Path) -> int:
    return fingerprint_of(file.name, file.stat().st_size, file.stat().st_mtime_ns)


def _write_digests(site: OldSite, batch: Batch) -> None:
    """Each post goes to the stage that collects digests; what it has already, it passes over."""
    for item in batch.items:
        list_id, file = item.data
        if not site.is_cut_over:
            batch.impossible(item, _LATER)
            continue
        mailing_list = MailingList.objects.get(list_id=list_id)
        for piece in mails(file, "mbox"):
            if isinstance(piece, Found):
                envelope = _envelope(mailing_list, with_crlf(piece.raw), {})
                queue.put("digests", structs.replace(envelope, received_at=collected_at(piece.raw, file)))
        batch.done(item)


# --- queues


def _read_queues(site: OldSite) -> Iterator[Item]:
    for name in (*_STAGES, "out", "retry", "virgin"):
        for file in sorted((site.root / "qfiles" / name).glob("*")):
            if file.suffix in (".pck", ".bak", ".psv"):
                yield Item(f"{name}/{file.name}", (file, name), fingerprint=fingerprint_of(file.name, name))


def _write_queues(site: OldSite, batch: Batch) -> None:
    hosts = {old.name: old.list_id for old in site.lists()}
    for item in batch.items:
        file, name = item.data
        if name not in _STAGES:
            batch.impossible(
                item, "it is on its way to the mail server: let the old system send it before it is stopped"
            )
            continue
        if not site.is_cut_over:
            batch.impossible(item, _LATER)
            continue
        raw, metadata = message_file(file.read_bytes())
        named = metadata.get("listname")
        list_id = hosts.get(named.decode("latin-1") if isinstance(named, bytes) else str(named or ""))
        if list_id is None:
            batch.impossible(item, "the list it was for is gone, in Mailman too")
            continue
        envelope = _envelope(MailingList.objects.get(list_id=list_id), with_crlf(raw), metadata)
        if name in _SET_ASIDE:
            queue.set_aside(_STAGES[name], envelope, f"was set aside in Mailman's queue {name}: {item.key}")
        else:
            queue.put(_STAGES[name], envelope)
            queue.record(envelope, "import", "accepted", f"from Mailman's queue {name}")
        batch.done(item)


def _envelope(mailing_list: MailingList, raw: bytes, metadata: Mapping[str, Any]) -> Envelope:
    headers = Headers.parse(raw)
    authors = parse_addresses(headers.get_all("from")[:1])
    kind: Kind = next((kind for key, kind in _KINDS if metadata.get(key)), "posting")
    received = moment_of(metadata.get("received_time")) or datetime.fromtimestamp(time.time(), UTC)
    return Envelope(
        journey=queue.new_journey(), message=storage.store(raw), size=len(raw), list_id=mailing_list.list_id, kind=kind,
        message_id=message_id_of(headers) or new_message_id(mailing_list.mail_host),
        received_at=received.timestamp(), sender=authors[0].email if authors else "",
        recipient=mailing_list.address("" if kind == "posting" else kind),
    )  # fmt: skip
