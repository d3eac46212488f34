"""Steps: memberships in all roles, with moderation and the state of their bounces; and who gets one more digest."""

from collections.abc import Iterator
from typing import Any

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions import moving_in as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.foundation.errors import BadInput
from postroad.upgrade.changed_here import MEMBERS
from postroad.upgrade.importing.models import ImportedObject
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman3.databases import OldDatabase, Row
from postroad.upgrade.mailman3.moving import Moving, preferences, with_preferences
from postroad.upgrade.mailman3.values import moment, text, uuid, word

_MEMBER = (
    "id", "_member_id", "role", "list_id", "moderation_action", "address_id", "user_id", "preferences_id",
    "bounce_score", "last_bounce_received", "last_warning_sent", "total_warnings_sent",
)  # fmt: skip

_Subject = tuple[Any, ...]
"""List, role, address and user: one membership each."""
_TWICE = "the same address (but for case) has this role on the list already"


def steps(moving: Moving) -> tuple[Step, ...]:
    """In their order."""
    core = moving.core
    return (
        Step("members", lambda: _read(moving), lambda batch: _write(core, batch), lambda: core.count("member"),
             rows=MEMBERS, remove=subscriptions.remove_members, size=1000, lasting=True),
        Step("last digests", lambda: _read_last_digests(moving), _write_last_digests,
             lambda: core.count("onelastdigest")),
    )  # fmt: skip


def _read(moving: Moving) -> Iterator[Item]:
    for row in with_preferences(moving.core, moving.core.rows("member", _MEMBER)):
        yield Item(str(row["id"]), row, f"{text(row['_member_id'])} of {text(row['list_id'])}")


def _write(core: OldDatabase, batch: Batch) -> None:
    rows: list[Row] = [item.data for item in batch.items]
    ids = {text(row["list_id"]) for row in rows}
    lists = dict(MailingList.objects.filter(list_id__in=ids).values_list("list_id", "pk"))
    addresses = batch.find("addresses", {str(row["address_id"]) for row in rows if row["address_id"] is not None})
    users = batch.find("users", {str(row["user_id"]) for row in rows if row["user_id"] is not None})
    wanted: dict[_Subject, tuple[Item, subscriptions.Membership]] = {}
    for item in batch.items:
        if text(item.data["list_id"]) not in lists:
            batch.impossible(item, "the list is gone, in Mailman too")
            continue
        membership = _membership(batch, item, lists, addresses, users)
        subject = (membership.mailing_list, membership.role, membership.address, membership.user)
        if subject in wanted:
            batch.mapped(item, _TWICE)
            continue
        wanted[subject] = (item, membership)
    _make_room(core, batch, wanted)
    keys = subscriptions.bring_members([membership for _, membership in wanted.values()])
    for (item, _), key in zip(wanted.values(), keys, strict=True):
        batch.done(item, key)


def _make_room(
    core: OldDatabase, batch: Batch, wanted: dict[_Subject, tuple[Item, subscriptions.Membership]]
) -> None:  # fmt: skip
    """Who left the old site and came back has another membership there: the former goes first. Others stay."""
    known = [membership.uuid for _, membership in wanted.values()]
    there = Member.objects.filter(mailing_list__in={subject[0] for subject in wanted}).exclude(uuid__in=known)
    columns = ("mailing_list_id", "role", "address_id", "user_id", "pk")
    found = (
        *there.filter(address__in={s[2] for s in wanted if s[2] is not None}).values_list(*columns),
        *there.filter(user__in={s[3] for s in wanted if s[3] is not None}).values_list(*columns),
    )
    in_the_way = {subject: pk for *subject_, pk in found if (subject := tuple(subject_)) in wanted}
    if not in_the_way:
        return
    brought = ImportedObject.objects.filter(source=batch.source, kind=batch.kind, target__in=in_the_way.values())
    numbers = {target: int(key) for target, key in brought.values_list("target", "key")}
    staying = {row["id"] for row in core.pick("member", ("id",), "id", list(numbers.values()))}
    left = []
    for subject, pk in in_the_way.items():
        if pk in numbers and numbers[pk] not in staying:
            left.append(pk)
        else:
            batch.mapped(wanted.pop(subject)[0], _TWICE)
    subscriptions.remove_members(left)


def _membership(
    batch: Batch, item: Item, lists: dict[str, int], addresses: dict[str, int], users: dict[str, int]
) -> subscriptions.Membership:
    row: Row = item.data
    address, user = addresses.get(str(row["address_id"])), users.get(str(row["user_id"]))
    if address is None and user is None:
        raise BadInput("its address or user is not here")
    member_id = uuid(row["_member_id"])
    if member_id is None:
        raise BadInput("it has no member id")
    return subscriptions.Membership(
        uuid=member_id, mailing_list=lists[text(row["list_id"])], role=word("MemberRole", row["role"]) or "member",
        address=address, user=None if address is not None else user,
        moderation_action=word("Action", row["moderation_action"]), bounce_score=row["bounce_score"] or 0,
        last_bounce_received=moment(row["last_bounce_received"]), last_warning_sent=moment(row["last_warning_sent"]),
        total_warnings_sent=row["total_warnings_sent"] or 0, preferences=preferences(batch, item, row["preferences"]),
    )  # fmt: skip


# --- who left digests while one was being collected


def _read_last_digests(moving: Moving) -> Iterator[Item]:
    for row in moving.core.rows("onelastdigest", ("id", "mailing_list_id", "address_id", "delivery_mode")):
        yield Item(str(row["id"]), (row["mailing_list_id"], row["address_id"], row["delivery_mode"]))


def _write_last_digests(batch: Batch) -> None:
    lists = batch.find("lists", {str(item.data[0]) for item in batch.items})
    addresses = batch.find("addresses", {str(item.data[1]) for item in batch.items})
    for item in batch.items:
        mailing_list, address = lists.get(str(item.data[0])), addresses.get(str(item.data[1]))
        mode = word("DeliveryMode", item.data[2])
        if mailing_list is None or address is None:
            batch.impossible(item, "its list or address is gone, in Mailman too")
            continue
        if mode is None or mode == "regular":
            batch.impossible(item, "it names no kind of digest")
            continue
        key = subscriptions.note_last_digest(mailing_list, address, mode)
        if key is None:
            batch.mapped(item, "has left the list since, and gets no digest of it any more")
        batch.done(item, key)
