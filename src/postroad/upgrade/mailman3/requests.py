"""Steps: held posts with their bytes, requests to join and leave whose secrets go on working, probes under way."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions import moving_in as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.foundation.errors import BadInput
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.lines import with_crlf
from postroad.mailflow.bounces import moving_in as bounces
from postroad.mailflow.bounces.actions import PROBE_DAYS
from postroad.mailflow.moderation import moving_in as moderation
from postroad.upgrade.changed_here import HELD_POSTS, REQUESTS
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman3.messages import message_of
from postroad.upgrade.mailman3.moving import Moving
from postroad.upgrade.mailman3.pendings import every_pending, pendings_of, unpacked
from postroad.upgrade.mailman3.values import EPOCH, moment, text, uuid, word


def steps(moving: Moving) -> tuple[Step, ...]:
    """In their order."""
    return (
        Step("held posts", lambda: _read_held(moving), lambda batch: _write_held(moving, batch), size=50,
             count=lambda: moving.core.count("_request"), rows=HELD_POSTS,
             remove=moderation.remove_held),
        Step("requests", lambda: _read_requests(moving), _write_requests, rows=REQUESTS,
             remove=subscriptions.remove_requests),
        Step("probes", lambda: _read_probes(moving), _write_probes),
    )  # fmt: skip


# --- held posts


def _read_held(moving: Moving) -> Iterator[Item]:
    core = moving.core
    tokens: dict[int, str] = {}
    for row in every_pending(core):
        if row["type"] == "held message" and isinstance(row["values"].get("id"), int):
            tokens[row["values"]["id"]] = row["token"]
    lists = {row["id"]: text(row["list_id"]) for row in core.rows("mailinglist", ("id", "list_id"))}
    for row in core.rows("_request", ("id", "key", "request_type", "data_hash", "mailing_list_id")):
        row["list_id"] = lists.get(row["mailing_list_id"], "")
        row["token"] = tokens.get(row["id"], "")
        yield Item(str(row["id"]), row, f"{text(row['key'])} on {row['list_id'] or 'a list that is gone'}")


def _write_held(moving: Moving, batch: Batch) -> None:
    rows = [item.data for item in batch.items]
    data = pendings_of(moving.core, [text(row["data_hash"]) for row in rows if row["data_hash"]])
    found = MailingList.objects.in_bulk([row["list_id"] for row in rows], field_name="list_id")
    for item in batch.items:
        row = item.data
        if word("RequestType", row["request_type"]) != "held_message":
            batch.impossible(item, "a kind of request that no release after 3.0 makes")
            continue
        if row["list_id"] not in found:
            batch.impossible(item, "the list is gone, in Mailman too")
            continue
        pending = data.get(text(row["data_hash"]))
        raw = stored_message(moving, text(row["key"]))
        if raw is None:
            batch.impossible(item, "its message is gone from Mailman's own store, where it could not be decided either")
            continue
        values = unpacked(pending["values"]) if pending else {}
        waiting = moderation.bring_held(found[row["list_id"]], _held(row, raw, values), item.target)
        batch.done(item, waiting.pk)
        if waiting.request_id != row["id"]:
            batch.mapped(item, moderation.RENUMBERED.format(row["id"], waiting.request_id))


def stored_message(moving: Moving, message_id: str) -> bytes | None:
    """A message of Mailman's store, if it is there.

    Raises:
        BadInput: it is damaged.
    """
    rows = moving.core.pick("message", ("path", "message_id", "message_id_hash"), "message_id", [message_id])
    for row in (row for row in rows if text(row["message_id"]) == message_id):  # MySQL may not tell case apart.
        digest = text(row["message_id_hash"])
        relative = text(row["path"]) or f"{digest[:2]}/{digest[2:4]}/{digest}"
        file = moving.installation.paths["messages_dir"] / relative
        if ".." not in Path(relative).parts and file.is_file():
            return with_crlf(message_of(file.read_bytes()))
    return None


def _held(row: dict[str, Any], raw: bytes, values: dict[str, Any]) -> moderation.HeldRecord:
    held_at = moment(values.get("_mod_hold_date")) or timezone.now()
    reasons = values.get("moderation_reasons")
    return moderation.HeldRecord(
        request_id=row["id"], raw=raw, message_id=text(row["key"]).strip("<>"), token=row["token"],
        sender=text(values.get("_mod_sender")), subject=decode_words(text(values.get("_mod_subject"))),
        reasons=_reasons(reasons) or tuple(filter(None, [text(values.get("_mod_reason"))])), held_at=held_at,
        received_at=moment(values.get("received_time")) or held_at, is_to_owners=bool(values.get("to_owner")),
        rule_hits=_texts(values.get("rule_hits")), rule_misses=_texts(values.get("rule_misses")),
    )  # fmt: skip


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text(entry) for entry in value) if isinstance(value, list | tuple) else ()


def _reasons(value: Any) -> tuple[str, ...]:
    """Sentences; one with a figure in it is a tuple of the sentence and what fills it."""
    found = []
    for reason in value if isinstance(value, list | tuple) else ():
        if isinstance(reason, list | tuple) and reason:
            sentence = text(reason[0])
            for part in reason[1:]:
                sentence = sentence.replace("{}", text(part), 1)
            found.append(sentence)
        else:
            found.append(text(reason))
    return tuple(found)


# --- requests to join and leave


def _read_requests(moving: Moving) -> Iterator[Item]:
    states = {
        text(row["token"]): (text(row["step"]), text(row["data"]))
        for row in moving.core.rows("workflowstate", ("token", "step", "data"), key=("token",))
    }
    for row in every_pending(moving.core):
        if row["type"] in ("subscription", "unsubscription"):
            values = row["values"]
            yield Item(
                row["token"], (row["type"], values, row["expiration_date"], states.get(row["token"])),
                f"{row['type']} of {values.get('email')} on {values.get('list_id')}",
            )  # fmt: skip


def _write_requests(batch: Batch) -> None:
    there = set(MailingList.objects.values_list("list_id", flat=True))
    for item in batch.items:
        kind, values, expires, state = item.data
        expires_at = moment(expires)
        if expires_at is None or expires_at < timezone.now():
            batch.mapped(item, "had expired; nobody could answer it any more")
            batch.done(item)
            continue
        if values.get("list_id") not in there:
            batch.impossible(item, "the list is gone, in Mailman too")
            continue
        batch.done(item, subscriptions.bring_request(
            subscriptions.Request(
                token=item.key, kind=kind, list_id=text(values["list_id"]), email=text(values.get("email")),
                owner=text(values.get("token_owner")), expires_at=expires_at,
                created_at=_when(values.get("when")), display_name=text(values.get("display_name")),
                data=_wish(state) if kind == "subscription" else {},
            )
        ))  # fmt: skip


def _when(value: Any) -> datetime:
    try:
        return moment(text(value)) or timezone.now()
    except BadInput:
        return timezone.now()


def _wish(state: tuple[str, str] | None) -> dict[str, Any]:
    """The options of a wish, from the state of its workflow: an object, or a list of one in the oldest releases."""
    try:
        kept = json.loads(state[1]) if state else {}
    except ValueError:
        kept = {}
    if isinstance(kept, list):
        kept = next((part for part in kept if isinstance(part, dict)), {})
    if not isinstance(kept, dict):
        kept = {}
    user = uuid(kept.get("user_key")) if kept.get("subscriber_key") == 2 and kept.get("user_key") else None
    return {
        "user": user.hex if user else None, "delivery_mode": kept.get("delivery_mode"),
        "delivery_status": kept.get("delivery_status"), "pre_approved": kept.get("pre_approved"),
        "invitation": kept.get("invitation"), "send_welcome_message": kept.get("send_welcome_message"),
    }  # fmt: skip


# --- probes


def _read_probes(moving: Moving) -> Iterator[Item]:
    """Those that name a member; the others only keep a stored bounce alive."""
    for row in every_pending(moving.core):
        if row["type"] == "probe" and row["values"].get("member_id"):
            yield Item(row["token"], (row["values"]["member_id"], row["expiration_date"]))


def _write_probes(batch: Batch) -> None:
    ids = [found for item in batch.items if (found := uuid(item.data[0])) is not None]
    members: dict[UUID | None, Member] = {member.uuid: member for member in Member.objects.filter(uuid__in=ids)}
    for item in batch.items:
        member = members.get(uuid(item.data[0]))
        if member is None:
            batch.mapped(item, "its member is gone, so nobody waits for the answer")
            batch.done(item)
            continue
        # The day it was sent is not kept; it is recognised for as long as Mailman would have.
        sent_at = (moment(item.data[1]) or EPOCH) - timedelta(days=PROBE_DAYS)
        batch.done(item, bounces.bring_probe(member, item.key, sent_at))
