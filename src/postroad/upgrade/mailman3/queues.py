"""Steps of the cut-over: queued mail, digests being collected, posts that waited for the archive.

While the old system lives, it is the one that sends them; they are brought only when it is stopped for good.
"""

import mailbox
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import structs

from postroad.community.lists.models import MailingList
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import parse_addresses
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.lines import with_crlf
from postroad.foundation.message.message_id import message_id_of, new_message_id
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope, Kind
from postroad.foundation.storage import actions as storage
from postroad.upgrade.importing.old_digests import collected_at
from postroad.upgrade.importing.plan import Batch, Item, Step, fingerprint_of
from postroad.upgrade.mailman3.messages import list_id_in, queue_file
from postroad.upgrade.mailman3.moving import Moving
from postroad.upgrade.mailman3.values import moment, text

QUEUES: Mapping[str, str] = {
    "in": "moderation", "pipeline": "pipeline", "virgin": "pipeline", "archive": "archive", "bounces": "bounces",
    "command": "mail_commands", "nntp": "usenet", "out": "pipeline", "retry": "pipeline", "shunt": "", "bad": "",
}  # fmt: skip
"""Mailman's queue → our stage; what was set aside there is set aside here."""
_KINDS: Mapping[str, Kind] = {
    "join": "join", "leave": "leave", "subscribe": "join", "unsubscribe": "leave", "confirm": "confirm",
    "request": "request", "owner": "owner", "bounces": "bounces",
}  # fmt: skip
_LATER = "waits in the old system; stop that for good and call this again with --cut-over"
_WAITING_DIGEST = re.compile(r"digest\.\d+\.\d+\.mmdf")


def steps(moving: Moving) -> tuple[Step, ...]:
    """In their order."""
    return (
        Step("digests in progress", lambda: _read_digests(moving), lambda batch: _write_digests(moving, batch)),
        Step("archiver's spool", lambda: _read_spool(moving), lambda batch: _write_files(moving, batch), size=50),
        Step("queued mail", lambda: _read_queues(moving), lambda batch: _write_files(moving, batch), size=50),
    )  # fmt: skip


# --- digests


def _read_digests(moving: Moving) -> Iterator[Item]:
    root = moving.installation.paths["list_data_dir"]
    for file in sorted(root.glob("*/*.mmdf")):
        if file.name == "digest.mmdf" or _WAITING_DIGEST.fullmatch(file.name):
            key = str(file.relative_to(root))
            yield Item(key, file, fingerprint=fingerprint_of(key, file.stat().st_size, file.stat().st_mtime_ns))


def _write_digests(moving: Moving, batch: Batch) -> None:
    """Each post goes to the stage that collects digests; what it has already, it passes over."""
    for item in batch.items:
        if not moving.is_cut_over:
            batch.impossible(item, _LATER)
            continue
        file: Path = item.data
        mailing_list = _list_of(file.parent.name)
        if mailing_list is None:
            batch.impossible(item, "the list is gone, in Mailman too")
            continue
        for raw in _mails_of(file):
            envelope = _envelope(mailing_list, with_crlf(raw), {}, "posting")
            queue.put("digests", structs.replace(envelope, received_at=collected_at(raw, file)))
        if _WAITING_DIGEST.fullmatch(file.name):
            batch.mapped(item, "was about to be sent; its posts are in the list's next digest here")
        batch.done(item)


def _mails_of(file: Path) -> Iterator[bytes]:
    box = mailbox.MMDF(file, create=False)
    try:
        for key in box.iterkeys():
            yield box.get_bytes(key)
    finally:
        box.close()


def _list_of(name: str) -> MailingList | None:
    """The list of a folder, which is named by the list-id, or before Mailman 3.1 by the address."""
    found = MailingList.objects.filter(list_id=name).first()
    if found is None and "@" in name:
        local, _, host = name.partition("@")
        found = MailingList.objects.filter(list_name=local, mail_host=host).first()
    return found


# --- queues and the archiver's spool


def _read_queues(moving: Moving) -> Iterator[Item]:
    root = moving.installation.paths["queue_dir"]
    for name in QUEUES:
        for file in sorted((root / name).glob("*")):
            if file.suffix in (".pck", ".bak", ".psv"):
                yield Item(f"{name}/{file.name}", (file, name), fingerprint=_stamp(file))


def _read_spool(moving: Moving) -> Iterator[Item]:
    """Posts that HyperKitty's archiver could not hand over yet: they are in no archive."""
    root = moving.installation.paths["archive_dir"] / "hyperkitty" / "spool"
    for file in sorted(root.glob("*.pck")):
        yield Item(file.name, (file, "archive"), fingerprint=_stamp(file))


def _stamp(file: Path) -> int:
    return fingerprint_of(file.name, file.stat().st_size)


def _write_files(moving: Moving, batch: Batch) -> None:
    for item in batch.items:
        file, name = item.data
        if not moving.is_cut_over:
            batch.impossible(item, _LATER)
            continue
        raw, metadata = queue_file(file.read_bytes())
        mailing_list = MailingList.objects.filter(list_id=list_id_in(metadata)).first()
        if mailing_list is None:
            batch.impossible(item, f"the list {list_id_in(metadata) or 'it was for'} is gone, in Mailman too")
            continue
        _put(batch, item, mailing_list, with_crlf(raw), metadata, name)
        batch.done(item)


def _put(batch: Batch, item: Item, mailing_list: MailingList, raw: bytes, metadata: dict[str, Any], name: str) -> None:
    stage = QUEUES[name] or QUEUES.get(text(metadata.get("whichq")), "") or "moderation"
    kind = _kind(metadata, name, text(metadata.get("whichq")))
    envelope = _envelope(mailing_list, raw, metadata, kind)
    if name in ("out", "retry"):
        # It is ready as it is, and must not be made ready twice.
        envelope = structs.replace(
            envelope, list_id="", kind="notice", envelope_sender=mailing_list.address("bounces"), verp=False
        )
    if name in ("shunt", "bad"):
        queue.set_aside(stage, envelope, f"was set aside in Mailman's queue {name}: {item.key}")
        return
    if stage == "pipeline" and name != "pipeline" and not envelope.recipients:
        batch.impossible(item, "it names no recipients")
        return
    queue.put(stage, envelope)
    queue.record(envelope, "import", "accepted", f"from Mailman's queue {name}")


def _kind(metadata: Mapping[str, Any], name: str, whichq: str) -> Kind:
    if name == "virgin" or whichq == "virgin":
        return "digest" if metadata.get("isdigest") else "notice"
    if metadata.get("to_owner"):
        return "owner"
    if name == "bounces" or whichq == "bounces":
        return "bounces"
    if metadata.get("to_request"):
        return "request"
    return _KINDS.get(text(metadata.get("subaddress")), "posting")


def _envelope(mailing_list: MailingList, raw: bytes, metadata: Mapping[str, Any], kind: Kind) -> Envelope:
    headers = Headers.parse(raw)
    part = "" if kind == "posting" else text(metadata.get("subaddress")) or kind
    recipients = metadata.get("recipients")
    return Envelope(
        journey=queue.new_journey(), message=storage.store(raw), size=len(raw), list_id=mailing_list.list_id,
        message_id=message_id_of(headers) or new_message_id(mailing_list.mail_host), received_at=_received(metadata),
        kind=kind, sender=_sender(metadata, headers), recipient=mailing_list.address(part),
        recipients=tuple(sorted(text(r) for r in recipients)) if isinstance(recipients, list | set | tuple) else (),
        reduced_list_headers=bool(metadata.get("reduced_list_headers")),
    )  # fmt: skip


def _received(metadata: Mapping[str, Any]) -> float:
    try:
        received = moment(metadata.get("received_time"))
    except BadInput:
        received = None
    return received.timestamp() if received else time.time()


def _sender(metadata: Mapping[str, Any], headers: Headers) -> str:
    """Who it is from: the core kept that only beside some mails; the first address in From is the next best."""
    named = text(metadata.get("original_sender") or metadata.get("sender"))
    authors = parse_addresses(headers.get_all("from")[:1])
    return named or (authors[0].email if authors else "")
