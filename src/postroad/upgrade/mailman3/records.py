"""Steps: automatic answers, and bounces that were noted."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from postroad.community.lists.models import MailingList
from postroad.community.notices import moving_in as notices
from postroad.foundation.storage import actions as storage
from postroad.mailflow.bounces import moving_in as bounces
from postroad.upgrade.importing.on_disk import OnDisk
from postroad.upgrade.importing.plan import Batch, Item, Step, batches
from postroad.upgrade.mailman3.databases import PIECE
from postroad.upgrade.mailman3.moving import Moving
from postroad.upgrade.mailman3.requests import stored_message
from postroad.upgrade.mailman3.values import EPOCH, moment, text, word

_KINDS = {"hold": "hold", "command": "reply-requests", "owner": "reply-owner", "postings": "reply-postings"}


def steps(moving: Moving) -> tuple[Step, ...]:
    """In their order."""
    core = moving.core
    return (
        Step("automatic answers", lambda: _read_answers(moving), _write_answers,
             lambda: core.count("autoresponserecord")),
        Step("bounce events", lambda: _read_events(moving), lambda batch: _write_events(moving, batch),
             lambda: core.count("bounceevent"), remove=bounces.remove_events),
    )  # fmt: skip


def _list_ids(moving: Moving) -> dict[int, str]:
    return {row["id"]: text(row["list_id"]) for row in moving.core.rows("mailinglist", ("id", "list_id"))}


def _read_answers(moving: Moving) -> Iterator[Item]:
    lists = _list_ids(moving)
    counted = OnDisk[tuple[int, int, int, str], int]()
    for row in moving.core.rows("autoresponserecord", ("address_id", "mailing_list_id", "response_type", "date_sent")):
        what = (row["address_id"], row["mailing_list_id"], row["response_type"], _day(row["date_sent"]))
        counted[what] = counted.get(what, 0) + 1
    for some in batches(counted.items(), PIECE):
        keys = sorted({address for (address, *_), _ in some if address is not None})
        emails = {row["id"]: text(row["email"]) for row in moving.core.pick("address", ("id", "email"), "id", keys)}
        for (address, list_, kind, day), count in some:
            who, where = emails.get(address, ""), lists.get(list_, "")
            key, name = f"{list_}:{address}:{kind}:{day}", f"to {who} by {where} on {day}"
            yield Item(key, (who, where, kind, day, count), name)


def _day(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else text(value)[:10]


def _write_answers(batch: Batch) -> None:
    good = []
    for item in batch.items:
        who, where, kind, day, count = item.data
        if not who or not where:
            batch.impossible(item, "its address or list is gone, in Mailman too")
            continue
        answered = notices.Answered(who, where, _KINDS[word("Response", kind) or ""], date.fromisoformat(day), count)
        good.append((item, answered))
    for (item, _), key in zip(good, notices.bring_answers([a for _, a in good]), strict=True):
        batch.done(item, key)


def _read_events(moving: Moving) -> Iterator[Item]:
    columns = ("id", "list_id", "email", "timestamp", "message_id", "context")
    for row in moving.core.rows("bounceevent", columns):
        yield Item(str(row["id"]), row, f"{text(row['email'])} on {text(row['list_id'])}")


def _write_events(moving: Moving, batch: Batch) -> None:
    lists = dict(MailingList.objects.values_list("list_id", "pk"))
    good = []
    for item in batch.items:
        row = item.data
        if text(row["list_id"]) not in lists:
            batch.impossible(item, "the list is gone, in Mailman too")
            continue
        message_id = text(row["message_id"])
        raw = stored_message(moving, message_id) if message_id else None
        good.append((item, bounces.Bounce(
            lists[text(row["list_id"])], text(row["email"]), moment(row["timestamp"]) or EPOCH,
            word("BounceContext", row["context"]) or "normal", message_id.strip("<>"),
            storage.store(raw) if raw else "",
        )))  # fmt: skip
    bounces.remove_events(item.target for item, _ in good if item.target is not None)
    for (item, _), key in zip(good, bounces.bring_events([b for _, b in good]), strict=True):
        batch.done(item, key)
