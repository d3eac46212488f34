"""Steps: held posts with their bytes, requests that wait for a moderator, and those whose secret was mailed."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions import moving_in as subscriptions
from postroad.community.subscriptions import queries
from postroad.community.subscriptions.models import Pending
from postroad.community.subscriptions.tokens import new_token
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput
from postroad.foundation.message.addresses import is_valid_email
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.lines import with_crlf
from postroad.foundation.message.message_id import message_id_of, new_message_id
from postroad.mailflow.bounces import moving_in as bounces
from postroad.mailflow.moderation import moving_in as moderation
from postroad.upgrade.changed_here import HELD_POSTS, REQUESTS
from postroad.upgrade.importing.pickles import Record, load
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman2.messages import NAMES, message_file
from postroad.upgrade.mailman2.old_list import OldList, moment_of
from postroad.upgrade.mailman2.site import OldSite

_HELD, _JOIN, _LEAVE = 1, 2, 3


def steps(site: OldSite) -> tuple[Step, ...]:
    """In their order."""
    return (
        Step("held posts", lambda: _read_requests(site, _HELD), _write_held, size=50, rows=HELD_POSTS,
             remove=moderation.remove_held),
        Step("held requests", lambda: _read_requests(site, _JOIN, _LEAVE), _write_requests, rows=REQUESTS,
             remove=subscriptions.remove_requests),
        Step("confirmations", lambda: _read_confirmations(site), _write_confirmations),
    )  # fmt: skip


def _table(old: OldList, name: str) -> dict[Any, Any]:
    """A pickled dictionary beside a list's configuration; empty if there is none, or it is damaged."""
    file = old.folder / name
    try:
        value = load(file.read_bytes(), NAMES) if file.is_file() else {}
    except BadInput:
        return {}
    return value if isinstance(value, dict) else {}


def _confirmations(old: OldList) -> Iterator[tuple[str, float, tuple[Any, ...]]]:
    """Secret, moment of expiry and content of each."""
    table = _table(old, "pending.pck")
    evictions = table.get(b"evictions")
    for key, value in table.items():
        if key not in (b"evictions", b"version") and isinstance(value, tuple) and value:
            expires = evictions.get(key, 0) if isinstance(evictions, dict) else 0
            yield old.decode(key), float(expires), value


# --- what waits for a moderator


def _read_requests(site: OldSite, *kinds: int) -> Iterator[Item]:
    for old in site.lists():
        secrets = {value[1]: secret for secret, _, value in _confirmations(old) if value[0] == b"H" and len(value) > 1}
        for number, value in sorted((k, v) for k, v in _table(old, "request.pck").items() if isinstance(k, int)):
            if not isinstance(value, tuple) or len(value) != 2 or value[0] not in kinds:
                continue
            data = (old.list_id, number, value, secrets.get(number, ""))
            item = Item(f"{old.name}:{number}", data, f"request {number} of {old.list_id}")
            item.data = (*data, old, site)
            yield item


def _write_held(batch: Batch) -> None:
    for item in batch.items:
        list_id, number, (_, entry), secret, old, site = item.data
        held_at, sender, subject, reason, file_name = (*entry, *[None] * 5)[:5]
        raw, received = _message(site, old, number, old.decode(file_name))
        if raw is None:
            batch.impossible(
                item, f"its file {old.decode(file_name)} is gone or damaged; Mailman could not show it either"
            )
            continue
        headers = Headers.parse(raw)
        moment = moment_of(held_at) or timezone.now()
        record = moderation.HeldRecord(
            request_id=number, raw=raw, token=secret, sender=old.decode(sender),
            message_id=message_id_of(headers) or new_message_id(old.mail_host),
            subject=" ".join(decode_words(old.decode(subject)).split()), reasons=(old.decode(reason),), held_at=moment,
            received_at=moment_of(received) or moment,
        )  # fmt: skip
        waiting = moderation.bring_held(MailingList.objects.get(list_id=list_id), record, item.target)
        batch.done(item, waiting.pk)
        if waiting.request_id != number:
            batch.mapped(item, moderation.RENUMBERED.format(number, waiting.request_id))


def _message(site: OldSite, old: OldList, number: int, named: str) -> tuple[bytes | None, Any]:
    """A held post's bytes; the file's name is made of list and number, and what the file says is not trusted."""
    for ending in ("pck", "txt"):
        file = site.root / "data" / f"heldmsg-{old.name}-{number}.{ending}"
        if file.is_file():
            try:
                raw, metadata = message_file(file.read_bytes())
            except BadInput:
                return None, None
            return with_crlf(raw), metadata.get("received_time")
    return None, None


def _write_requests(batch: Batch) -> None:
    for item in batch.items:
        list_id, _, (kind, entry), _, old, _ = item.data
        if kind == _LEAVE:
            email, name, data, asked = old.decode(entry), "", {}, None
        else:
            asked, address, full_name, _, digest, language = (*entry, *[None] * 6)[:6]
            email, name = old.decode(address), old.decode(full_name, old.decode(language))
            data = {"delivery_mode": "mime_digests" if digest else "regular"}
        if not is_valid_email(email):
            batch.impossible(item, f"{email} is no mail address")
            continue
        former = Pending.objects.filter(pk=item.target or 0).values_list("token", flat=True).first()
        batch.done(item, subscriptions.bring_request(subscriptions.Request(
            token=former or new_token(), kind="unsubscription" if kind == _LEAVE else "subscription", list_id=list_id,
            email=email, owner="moderator", created_at=moment_of(asked) or timezone.now(), display_name=name,
            expires_at=timezone.now() + timedelta(days=current().mail.moderator_request_days), data=data,
        )))  # fmt: skip


# --- what waits for whoever got a mail


def _read_confirmations(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        for secret, expires, value in _confirmations(old):
            if value[0] != b"H":
                item = Item(f"{old.name}:{secret}", (secret, expires, value), f"confirmation at {old.list_id}")
                item.data = (secret, expires, value, old)
                yield item


def _write_confirmations(batch: Batch) -> None:
    for item in batch.items:
        secret, expires, value, old = item.data
        if expires < time.time():
            batch.mapped(item, "had expired; nobody could answer it any more")
            batch.done(item)
        elif value[0] == b"P":
            _bring_probe(batch, item, secret, old.decode(value[1]), old)
        else:
            request = _request(secret, expires, value, old)
            if isinstance(request, str):
                batch.impossible(item, request)
            else:
                batch.done(item, subscriptions.bring_request(request))


def _request(secret: str, expires: float, value: tuple[Any, ...], old: OldList) -> subscriptions.Request | str:
    """What was asked for, or why it cannot be asked here."""
    kind, data, name = "", {}, ""
    match value[0]:
        case b"S" if len(value) > 1 and isinstance(value[1], Record):
            wanted = value[1]
            kind, email = "subscription", old.decode(wanted.get("address"))
            name = old.decode(wanted.get("fullname"), old.decode(wanted.get("language")))
            data = {
                "delivery_mode": "mime_digests" if wanted.get("digest") else "regular",
                "invitation": bool(wanted.get("invitation")), "pre_approved": bool(wanted.get("invitation")),
            }  # fmt: skip
        case b"U" if len(value) > 1:
            kind, email = "unsubscription", old.decode(value[1])
        case b"E" if len(value) > 2:
            kind, email, data = "options", old.decode(value[2]), {"delivery_status": "enabled"}
        case b"C":
            return "a change of address; the member asks for it again on the account's page"
        case _:
            return "it says of nothing known what it confirms"
    if not is_valid_email(email):
        return f"{email} is no mail address"
    return subscriptions.Request(
        token=secret, kind=kind, list_id=old.list_id, email=email, owner="subscriber", created_at=timezone.now(),
        expires_at=datetime.fromtimestamp(min(expires, 4e9), UTC), display_name=name, data=data,
    )  # fmt: skip


def _bring_probe(batch: Batch, item: Item, secret: str, email: str, old: OldList) -> None:
    member = queries.member_of(MailingList.objects.get(list_id=old.list_id), email)
    if member is None:
        batch.mapped(item, "its member is gone, so nobody waits for the answer")
        batch.done(item)
    else:
        batch.done(item, bounces.bring_probe(member, secret, timezone.now()))
