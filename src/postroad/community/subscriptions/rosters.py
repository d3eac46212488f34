"""Pages of memberships: which ones, in their collection's order, and how many there are, by one statement.

Written in SQL: a page is read many times a second by programs that walk through a list, and its order is an index's.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from postroad.community.subscriptions.queries import Selection


class RosterRow(NamedTuple):
    """A membership as REST and pages show it."""

    uuid: UUID
    list_id: str
    role: str
    email: str
    display_name: str
    delivery_mode: str
    subscription_mode: str
    moderation_action: str | None
    user_uuid: UUID | None
    bounce_score: int
    last_bounce_received: datetime | None
    last_warning_sent: datetime | None
    total_warnings_sent: int
    digest_frequency: str | None


_RANK = "CASE m.role WHEN 'owner' THEN 0 WHEN 'moderator' THEN 1 WHEN 'member' THEN 2 ELSE 3 END"
_ALL = 2**62
"""PostgreSQL and SQLite both want a limit before an offset."""


def _cascade(name: str, default: str) -> str:
    """A preference of a member, else of the address, its user, the site."""
    return f"COALESCE(m.{name}, a.{name}, w.{name}, u.{name}, '{default}')"


# The user who is subscribed (u), the address mail goes to (a), and whose it is (w).
_PEOPLE = """LEFT JOIN people_user u ON u.id = m.user_id
LEFT JOIN people_address a ON a.id = COALESCE(m.address_id, u.preferred_address_id)
LEFT JOIN people_user w ON w.id = a.user_id"""
_SHOWN = f"""SELECT k.total, m.uuid, l.list_id, m.role, COALESCE(a.email, ''),
COALESCE(NULLIF(a.display_name, ''), NULLIF(w.display_name, ''), u.display_name, ''),
{_cascade("delivery_mode", "regular")}, CASE WHEN m.user_id IS NULL THEN 'as_address' ELSE 'as_user' END,
m.moderation_action, COALESCE(w.uuid, u.uuid), m.bounce_score, m.last_bounce_received, m.last_warning_sent,
m.total_warnings_sent, m.digest_frequency"""


def roster(selection: Selection, start: int = 0, count: int | None = None) -> tuple[list[RosterRow], int]:
    """A page of memberships and the number of all that are meant."""
    where, values, plain = _conditions(selection)
    order = _order(selection)
    # Joined only where they are asked for: the rows before the page are walked over too.
    lists = "JOIN lists_list l ON l.id = m.mailing_list_id" if "l." in where + order else ""
    people = _PEOPLE if "w." in where else ""
    source = f"FROM subscriptions_member m {lists} {people} WHERE {where}"
    # A roster is counted by its index alone; whoever is found by other things is counted while being found.
    total = f"(SELECT COUNT(*) FROM subscriptions_member m WHERE {where})" if plain else "COUNT(*) OVER ()"  # noqa: S608
    sql = f"""{_SHOWN} FROM (SELECT m.id, {total} AS total {source} ORDER BY {order} LIMIT %s OFFSET %s) k
JOIN subscriptions_member m ON m.id = k.id JOIN lists_list l ON l.id = m.mailing_list_id {_PEOPLE} ORDER BY {order}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [*(values if plain else ()), *values, _ALL if count is None else count, start])
        rows = cursor.fetchall()
        if rows:
            return [_row(row) for row in rows], rows[0][0]
        if not start and count != 0:
            return [], 0
        cursor.execute(f"SELECT COUNT(*) {source}", values)
        return [], cursor.fetchone()[0]


def _order(selection: Selection) -> str:
    if len(selection.roles) != 1:
        return f"l.list_id, {_RANK}, m.email, m.id"
    return "m.email, m.id" if selection.mailing_list is not None else "l.list_id, m.email, m.id"


def _conditions(selection: Selection) -> tuple[str, list[Any], bool]:
    """The WHERE with its values, and whether it names nothing but a list and roles."""
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
        add(f"m.role IN ({', '.join(['%s'] * len(selection.roles))})", *selection.roles)
    plain = selection == Selection(mailing_list=selection.mailing_list, roles=selection.roles)
    if selection.list_id is not None:
        add("l.list_id = %s", selection.list_id)
    if selection.member is not None:
        add("m.id = %s", selection.member)
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
        condition, more = _like(selection.subscriber)
        add(condition, *more)
    return " AND ".join(parts), values, plain


def _like(pattern: str) -> tuple[str, Sequence[str]]:
    """Addresses and names that fit a pattern with `*` for anything; without one, exactly that address or name."""
    if "@" in pattern and "*" not in pattern:
        return "m.email = %s", (pattern.lower(),)
    escaped = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_").replace("*", "%")
    any_case = "ILIKE" if connection.vendor == "postgresql" else "LIKE"
    named = f"(SELECT id FROM people_address WHERE display_name {any_case} %s ESCAPE '!')"  # noqa: S608
    return (
        f"(m.email LIKE %s ESCAPE '!' OR m.address_id IN {named}"  # noqa: S608
        f" OR m.user_id IN (SELECT id FROM people_user WHERE preferred_address_id IN {named}))"
    ), (escaped.lower(), escaped, escaped)


def _row(row: tuple[Any, ...]) -> RosterRow:
    _, uuid, list_id, role, email, name, mode, by, action, user, score, bounced, warned, *rest = row
    return RosterRow(
        _uuid(uuid), list_id, role, email, name, mode, by, action, user and _uuid(user), score, _moment(bounced),
        _moment(warned), *rest,
    )  # fmt: skip


def _uuid(value: UUID | str) -> UUID:
    """SQLite keeps them as text."""
    return value if isinstance(value, UUID) else UUID(value)


def _moment(value: datetime | str | None) -> datetime | None:
    """SQLite keeps them as text in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
