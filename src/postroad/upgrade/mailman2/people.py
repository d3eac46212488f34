"""Steps: people, who are known by their addresses, and their memberships in all roles."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.people import moving_in as people
from postroad.community.people.models import Address
from postroad.community.people.old_hashes import from_passlib
from postroad.community.subscriptions import moving_in as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.foundation.languages import is_language
from postroad.foundation.message.addresses import identity, is_valid_email
from postroad.upgrade.changed_here import MEMBERS, PERSONS
from postroad.upgrade.importing.pickles import Record
from postroad.upgrade.importing.plan import Batch, Item, Step
from postroad.upgrade.mailman2.old_list import OldList
from postroad.upgrade.mailman2.site import OldSite

_NAMESPACE = UUID("0d8f5cb8-2f0a-4c6a-9a55-21c1a55e0021")
_STATUS = ("enabled", "unknown", "by_user", "by_moderator", "by_bounces")
_ACTIONS = ("hold", "reject", "discard")

# Bits of a member's options.
_NO_OWN_POSTS, _ACKNOWLEDGE, _PLAIN_DIGEST, _CONCEALED, _MODERATED, _NO_DUPLICATES = 2, 4, 8, 16, 128, 256


@dataclass(slots=True)
class _Person:
    """Whoever reads the mail of an address."""

    original: str
    name: str
    since: datetime
    password: str = ""


def steps(site: OldSite) -> tuple[Step, ...]:
    """In their order."""
    return (
        Step("people", lambda: _read_people(site), _write_people, rows=PERSONS),
        Step(
            "members",
            lambda: _read_members(site),
            _write_members,
            rows=MEMBERS,
            remove=subscriptions.remove_members,
            lasting=True,
        ),
    )


# --- people


def _read_people(site: OldSite) -> Iterator[Item]:
    found: dict[str, _Person] = {}
    for old in site.lists():
        for email in _addresses(old):
            person = found.setdefault(identity(email), _Person(_original(old, email), "", old.created_at))
            person.name = person.name or _name(old, email)
            person.since = min(person.since, old.created_at)
        owners = old.texts("owner")
        if len(owners) == 1 and is_valid_email(owners[0]):
            # The list's password was this one person's; of several owners nobody knows whose.
            person = found[identity(owners[0])]
            person.password = person.password or from_passlib(old.text("password"))
    for email, person in found.items():
        yield Item(email, (person.original, person.name, person.since, person.password), person.original)


def _addresses(old: OldList) -> list[str]:
    members = (*old.table("members"), *old.table("digest_members"))
    return [*members, *old.texts("owner"), *old.texts("moderator")]


def _original(old: OldList, email: str) -> str:
    """The address as it was typed."""
    for name in ("members", "digest_members"):
        cased = old.table(name).get(email)
        if isinstance(cased, str | bytes) and old.decode(cased).lower() == email.lower():
            return old.decode(cased)
    return email


def _name(old: OldList, email: str) -> str:
    language = old.decode(old.table("language").get(email))
    return " ".join(old.decode(old.table("usernames").get(email.lower()), language).split())


def _write_people(batch: Batch) -> None:
    """Addresses that are here already and belong to somebody stay as they are."""
    there = {
        row.email: row for row in Address.objects.filter(email__in=[i.key for i in batch.items], user__isnull=False)
    }
    new: list[Item] = []
    for item in batch.items:
        row = there.get(item.key)
        if row is not None and row.user is not None and row.user.uuid != uuid5(_NAMESPACE, item.key):
            batch.done(item, row.pk)
        elif is_valid_email(item.data[0]):
            new.append(item)
        else:
            batch.impossible(item, "no mail address; it could get no mail there either")
    users = people.bring_users([_user(item) for item in new])
    rows = people.bring_addresses([
        people.Mailbox(item.data[0], registered_on=item.data[2], display_name=item.data[1], verified_on=item.data[2],
                       user=user, is_preferred=True)
        for item, user in zip(new, users, strict=True)
    ])  # fmt: skip
    for item, key in zip(new, rows, strict=True):
        batch.done(item, key)


def _user(item: Item) -> people.Person:
    _, name, since, password = item.data
    return people.Person(
        uuid5(_NAMESPACE, item.key), created_on=since, display_name=name, email=item.key, password=password
    )


# --- members


def _read_members(site: OldSite) -> Iterator[Item]:
    for old in site.lists():
        tables = _Tables(old)
        for role in ("member", "owner", "moderator"):
            for email in tables.of_role(role):
                key = f"{old.name}:{role}:{email}"
                yield Item(
                    key,
                    (old.list_id, role, identity(email), *tables.entry(role, email)),
                    f"{email}, {role} of {old.list_id}",
                )


class _Tables:
    """A list's dictionaries by address, looked up once."""

    def __init__(self, old: OldList) -> None:
        self._old = old
        self._digests = old.table("digest_members")
        self._members = {**old.table("members"), **self._digests}
        names = ("user_options", "language", "delivery_status", "bounce_info", "topics_userinterest", "one_last_digest")
        self._by_name: dict[str, dict[str, Any]] = {name: old.table(name) for name in names}
        action = int(old.number("member_moderation_action"))
        self._moderated = _ACTIONS[action] if 0 <= action < len(_ACTIONS) else "hold"

    def of_role(self, role: str) -> list[str]:
        """Addresses as the tables have them, in lower case; each mailbox once."""
        emails = self._members if role == "member" else self._old.texts(role)
        return list({identity(email): email.lower() for email in reversed(list(emails)) if email}.values())[::-1]

    def entry(self, role: str, email: str) -> tuple[Any, ...]:
        """Options, language, status, bounces, topics, last digest of a member."""
        if role != "member":
            return ({}, "", None, (), False)
        options = self._by_name["user_options"].get(email, 0)
        bits = int(options) if isinstance(options, int | float) else 0
        preferences = {
            "acknowledge_posts": bool(bits & _ACKNOWLEDGE), "hide_address": bool(bits & _CONCEALED),
            "receive_own_postings": not bits & _NO_OWN_POSTS, "receive_list_copy": not bits & _NO_DUPLICATES,
            "delivery_status": self._status(email),
            "delivery_mode": self._mode(bits) if email in self._digests else "regular",
        }  # fmt: skip
        topics = self._by_name["topics_userinterest"].get(email) or ()
        return (
            {**preferences, "moderation_action": self._moderated if bits & _MODERATED else "defer"},
            self._old.decode(self._by_name["language"].get(email)), self._bounces(email),
            tuple(self._old.decode(topic) for topic in topics), email in self._by_name["one_last_digest"],
        )  # fmt: skip

    @staticmethod
    def _mode(bits: int) -> str:
        return "plaintext_digests" if bits & _PLAIN_DIGEST else "mime_digests"

    def _status(self, email: str) -> str:
        entry = self._by_name["delivery_status"].get(email, 0)
        number = entry[0] if isinstance(entry, tuple) and entry else entry
        return _STATUS[number] if isinstance(number, int) and 0 <= number < len(_STATUS) else "unknown"

    def _bounces(self, email: str) -> tuple[int, str, int] | None:
        """Score, day of the last bounce, warnings sent; None if it is so old that Mailman would begin anew."""
        info = self._by_name["bounce_info"].get(email)
        day = _day(info.get("date")) if isinstance(info, Record) else None
        if not isinstance(info, Record) or day is None:
            return None
        stale = timedelta(seconds=self._old.number("bounce_info_stale_after", 604_800))
        if timezone.now() - day > stale and self._status(email) != "by_bounces":
            return None
        warnings = self._old.number("bounce_you_are_disabled_warnings", 3) - float(info.get("noticesleft") or 0)
        return math.floor(float(info.get("score") or 0)), day.isoformat(), max(int(warnings), 0)


def _day(value: Any) -> datetime | None:
    try:
        year, month, day = value
        return datetime(year, month, day, tzinfo=UTC) if year > 1990 else None
    except (TypeError, ValueError, OverflowError):
        return None


def _write_members(batch: Batch) -> None:
    lists = dict(
        MailingList.objects.filter(list_id__in={item.data[0] for item in batch.items}).values_list("list_id", "pk")
    )
    addresses = batch.find("people", {item.data[2] for item in batch.items})
    taken = _there(batch, lists, addresses)
    new: list[tuple[Item, subscriptions.Membership]] = []
    for item in batch.items:
        list_id, role, email, preferences, language, bounces, topics, _ = item.data
        address = addresses.get(email)
        if address is None:
            batch.impossible(item, "the address cannot be here")
            continue
        uuid = uuid5(_NAMESPACE, item.key)
        if taken.get((lists[list_id], role, address), uuid) != uuid:
            batch.mapped(item, "had this role here already, which stays as it is")
            batch.done(item)
            continue
        spoken = {"preferred_language": language if is_language(language) else None}
        new.append((item, _membership(uuid, lists[list_id], role, address, preferences | spoken, bounces)))
        _tell(batch, item, language, topics)
    keys = subscriptions.bring_members([membership for _, membership in new])
    for (item, _), key in zip(new, keys, strict=True):
        batch.done(item, key)
    last = [key for (item, _), key in zip(new, keys, strict=True) if item.data[7]]
    now = timezone.now().timestamp()
    Member.objects.filter(pk__in=last).update(digest_left="mime_digests", digest_left_at=now)


def _there(batch: Batch, lists: Mapping[str, int], addresses: Mapping[str, int]) -> dict[tuple[int, str, int], UUID]:
    rows = Member.objects.filter(mailing_list__in=lists.values(), address__in=addresses.values())
    return {(m, role, address): uuid for m, role, address, uuid in
            rows.values_list("mailing_list_id", "role", "address_id", "uuid") if address is not None}  # fmt: skip


def _membership(
    uuid: UUID, mailing_list: int, role: str, address: int, entry: Mapping[str, Any],
    bounces: tuple[int, str, int] | None,
) -> subscriptions.Membership:  # fmt: skip
    preferences = {name: value for name, value in entry.items() if name != "moderation_action"}
    score, day, warnings = bounces or (0, None, 0)
    # Whoever was switched off is warned after a whole interval, not at once after the move.
    warned = timezone.now() if preferences.get("delivery_status") == "by_bounces" else None
    return subscriptions.Membership(
        uuid=uuid, mailing_list=mailing_list, role=role, address=address,
        moderation_action=entry.get("moderation_action"), bounce_score=score,
        last_bounce_received=datetime.fromisoformat(day) if day else None, last_warning_sent=warned,
        total_warnings_sent=warnings, preferences=preferences,
    )  # fmt: skip


def _tell(batch: Batch, item: Item, language: str, topics: tuple[str, ...]) -> None:
    if language and not is_language(language):
        batch.mapped(item, f"{language} is not one of Postroad's languages; the list's is used", "language")
    if topics:
        batch.impossible(item, f"{', '.join(topics)}: members get all topics", "topics")
