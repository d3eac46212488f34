"""Pages of memberships: which ones, in their collection's order, and how many there are.

Written in SQL: a page is read many times a second by programs that walk through a list, and its order is an index's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate, chain
from typing import Any, NamedTuple

from django.db import connection

from postroad.community.people import trigrams
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.queries import Selection
from postroad.foundation.message.addresses import identity
from postroad.foundation.rows import among, marks
from postroad.foundation.walking import came_in, state, walk


class _Roster(NamedTuple):
    """Who is on a list in one role, and how many of them are meant."""

    mailing_list: int
    role: str
    size: int


class RosterRow(NamedTuple):
    """A membership as REST and pages show it."""

    uuid: str
    """In hexadecimal digits, as is the user's: a page has a hundred, and makes no objects of them."""
    list_id: str
    role: str
    original_email: str
    display_name: str
    delivery_mode: str
    subscription_mode: str
    moderation_action: str | None
    user_uuid: str | None
    bounce_score: int
    last_bounce_received: datetime | str | None
    """As the engine gives it: SQLite keeps moments as text in UTC."""
    last_warning_sent: datetime | str | None
    total_warnings_sent: int
    digest_frequency: str | None

    @property
    def email(self) -> str:
        """The address in lower case."""
        return self.original_email.lower()


_ROLES = ", ".join(f"'{role}'" for role in Member.Role.values)
_NUMBER = "CASE m.role WHEN 'member' THEN 1 WHEN 'owner' THEN 2 WHEN 'moderator' THEN 3 ELSE 4 END"
"""Mailman's number of a role."""
_RANK = "CASE m.role WHEN 'owner' THEN 0 WHEN 'moderator' THEN 1 WHEN 'member' THEN 2 ELSE 3 END"


def _cascade(name: str, default: str) -> str:
    """A preference of a member, else of the address, its user, the site."""
    return f"COALESCE(m.{name}, a.{name}, w.{name}, u.{name}, '{default}')"


# The user who is subscribed (u), the address mail goes to (a), and whose it is (w).
_PEOPLE = """LEFT JOIN people_user u ON u.id = m.user_id
LEFT JOIN people_address a ON a.id = COALESCE(m.address_id, u.preferred_address_id)
LEFT JOIN people_user w ON w.id = a.user_id"""
# Each has a list; but with a plain join SQLite begins at the list and then walks over all who are on it.
_SHOWN = f"""{{m}}, l.list_id, m.role, COALESCE(a.original_email, ''),
COALESCE(NULLIF(u.display_name, ''), NULLIF(a.display_name, ''), NULLIF(w.display_name, ''), ''),
{_cascade("delivery_mode", "regular")}, CASE WHEN m.user_id IS NULL THEN 'as_address' ELSE 'as_user' END,
m.moderation_action, {{u}}, m.bounce_score, m.last_bounce_received, m.last_warning_sent, m.total_warnings_sent,
m.digest_frequency FROM subscriptions_member m LEFT JOIN lists_list l ON l.id = m.mailing_list_id {_PEOPLE} WHERE """
_DIGITS = "encode(uuid_send({}), 'hex')"
_IN_ONE_QUERY = 1000


def roster(selection: Selection, start: int = 0, count: int | None = None) -> tuple[list[RosterRow], int]:
    """A page of memberships and the number of all that are meant."""
    if count is None:
        rows = _all(selection)
        return rows[start:], len(rows)
    source, values = _source(selection)
    walked = walk(f"SELECT m.id {source} ORDER BY {_order(selection)}", values)
    if walked is not None:
        rows, states = _rows(walked[start : start + count])
        if came_in(states):
            return rows, len(walked)
    keys, total = (_through_lists if _of_everybody(selection) else _at_once)(selection, start, count)
    return _rows(keys)[0], total


def only(selection: Selection) -> RosterRow | None:
    """The first membership that is meant."""
    return next(iter(_all(selection, "LIMIT 1")), None)


def _all(selection: Selection, limit: str = "") -> list[RosterRow]:
    """All memberships that are meant, in their order, by one question."""
    where, values = _conditions(selection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_shown()}{where} ORDER BY {_order(selection)} {limit}", values)
        return list(map(RosterRow._make, cursor.fetchall()))


def _at_once(selection: Selection, start: int, count: int) -> tuple[list[int], int]:
    """The keys of a page, and how many there are in all."""
    keys = _keys(selection, start, count)
    if not start and len(keys) < count:
        return keys, len(keys)
    source, values = _source(selection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) {source}", values)
        return keys, cursor.fetchone()[0]


def _keys(selection: Selection, start: int, count: int, rosters: Sequence[_Roster] = ()) -> list[int]:
    """The keys of a page, of all that are meant or of those in some rosters."""
    source, values = _source(selection)
    if rosters:
        source += f" AND (m.mailing_list_id, m.role) IN (VALUES {', '.join(['(%s, %s)'] * len(rosters))})"
        values += chain.from_iterable((roster.mailing_list, roster.role) for roster in rosters)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT m.id {source} ORDER BY {_order(selection)} LIMIT %s OFFSET %s", [*values, count, start])
        return [key for (key,) in cursor.fetchall()]


def _of_everybody(selection: Selection) -> bool:
    """Whether nothing narrows the selection to some lists or people, and its order is that of rosters."""
    if selection.by_address and len(selection.roles) != 1:
        return False
    narrow = (selection.mailing_list, selection.list_id, selection.uuid, selection.email, selection.user)
    return set(narrow) == {None} and selection.subscriber is None


def _through_lists(selection: Selection, start: int, count: int) -> tuple[list[int], int]:
    """The same for memberships of all lists: in their order, roster comes after roster, each in the order of an index.

    To sort them all costs as much as there are. So they are counted, and only those rosters are read that the page
    touches: a piece of the first, a piece of the last, and all between them.
    """
    rosters = _counted(selection)
    total = sum(roster.size for roster in rosters)
    ends = list(accumulate(roster.size for roster in rosters))
    first, last = bisect_right(ends, start), bisect_left(ends, start + count)
    touched = rosters[first : last + 1]
    if len(touched) > _IN_ONE_QUERY:
        return _keys(selection, start, count), total
    keys: list[int] = []
    for some in filter(None, (touched[:1], touched[1:-1], touched[1:][-1:])):
        alone = replace(selection, mailing_list=some[0].mailing_list, roles=(some[0].role,))
        behind = start - (ends[first] - touched[0].size) if some[0] is touched[0] else 0
        left = count - len(keys)
        keys += _keys(alone, behind, left) if len(some) == 1 else _keys(selection, 0, left, some)
    return keys, total


def _counted(selection: Selection) -> list[_Roster]:
    """The rosters of all lists, in order, with how many memberships in each are meant."""
    source, values = _source(selection)
    counts = f"SELECT m.mailing_list_id AS list, m.role, COUNT(*) AS size {source} GROUP BY m.mailing_list_id, m.role"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT m.list, m.role, m.size FROM ({counts}) m"  # noqa: S608
            f" JOIN lists_list l ON l.id = m.list ORDER BY l.list_id, {_RANK}",
            values,
        )
        return list(map(_Roster._make, cursor.fetchall()))


def _source(selection: Selection) -> tuple[str, list[Any]]:
    """Where the keys of memberships come from, with its values."""
    where, values = _conditions(selection)
    # Joined only where they are asked for: the rows before the page are walked over too.
    lists = "JOIN lists_list l ON l.id = m.mailing_list_id" if "l." in where + _order(selection) else ""
    return f"FROM subscriptions_member m {lists} {_PEOPLE if 'w.' in where else ''} WHERE {where}", values


def _rows(keys: Sequence[int]) -> tuple[list[RosterRow], set[str]]:
    """The memberships of these keys, in their order, and in which states the database was found.

    A membership that ended meanwhile is left out.
    """
    rows: list[RosterRow] = []
    states: set[str] = set()
    with connection.cursor() as cursor:
        for at in range(0, len(keys), _IN_ONE_QUERY):
            some = keys[at : at + _IN_ONE_QUERY]
            where, value = among("m.id", some)
            cursor.execute(f"SELECT {state()}, m.id, {_shown()}{where}", [value])
            found = {row[1]: row for row in cursor.fetchall()}
            states |= {row[0] for row in found.values()}
            rows += [RosterRow._make(found[key][2:]) for key in some if key in found]
    return rows, states


def _shown() -> str:
    """What is read of a membership; PostgreSQL keeps identifiers as a type of its own."""
    if connection.vendor == "postgresql":
        return _SHOWN.format(m=_DIGITS.format("m.uuid"), u=_DIGITS.format("COALESCE(w.uuid, u.uuid)"))
    return _SHOWN.format(m="m.uuid", u="COALESCE(w.uuid, u.uuid)")


def _order(selection: Selection) -> str:
    if len(selection.roles) != 1:
        within = f"m.email, {_NUMBER}" if selection.by_address else f"{_RANK}, m.email"
        return f"l.list_id, {within}, m.id"
    one_list = selection.mailing_list is not None or selection.list_id is not None
    return "m.email, m.id" if one_list else "l.list_id, m.email, m.id"


def _conditions(selection: Selection) -> tuple[str, list[Any]]:
    """The WHERE with its values."""
    parts: list[str] = ["1 = 1"]
    values: list[Any] = []

    def add(condition: str, *more: Any) -> None:
        parts.append(condition)
        values.extend(more)

    if selection.mailing_list is not None:
        add("m.mailing_list_id = %s", selection.mailing_list)
    if len(selection.roles) == 1:
        add("m.role = %s", selection.roles[0])
    elif selection.roles:
        add(f"m.role IN ({marks(len(selection.roles))})", *selection.roles)
    if selection.list_id is not None:
        # The order of several roles needs the list's row, by which it is found then.
        key = "m.mailing_list_id = (SELECT id FROM lists_list WHERE list_id = %s)"
        add(key if len(selection.roles) == 1 else "l.list_id = %s", selection.list_id)
    if selection.uuid is not None:
        add("m.uuid = %s", selection.uuid)
    if selection.email is not None:
        add("m.email = %s", selection.email)
    if selection.user is not None:
        own = "m.address_id IN (SELECT id FROM people_address WHERE user_id = %s)"
        add(f"(m.user_id = %s OR {own})", selection.user, selection.user)
    if not selection.any_action and selection.moderation_action is None:
        add("m.moderation_action IS NULL")
    elif not selection.any_action:
        add("m.moderation_action = %s", selection.moderation_action)
    for name, default in (("delivery_mode", "regular"), ("delivery_status", "enabled")):
        wanted = getattr(selection, name)
        if wanted is not None:
            add(f"{_cascade(name, default)} = %s", wanted)
    if selection.subscriber is not None:
        condition, more = _subscriber(selection.subscriber)
        add(condition, *more)
    return " AND ".join(parts), values


def _subscriber(pattern: str) -> tuple[str, Sequence[str]]:
    """Addresses and names that fit a pattern with `*` for anything; without one, exactly that address or name."""
    if not pattern:
        return "1 = 0", ()
    if "@" in pattern and "*" not in pattern:
        # The index of a list's rosters has the role before the address; without any role all of the list is read.
        return f"m.role IN ({_ROLES}) AND m.email = %s", (identity(pattern),)
    pieces = pattern.split("*")
    addresses, spelled = trigrams.addresses(pieces)
    users, called = trigrams.users(pieces)
    theirs = f"SELECT p.email FROM people_address p WHERE p.user_id IN (SELECT u.id {users})"  # noqa: S608
    return f"m.email IN (SELECT a.email {addresses} UNION ALL {theirs})", (*spelled, *called)
